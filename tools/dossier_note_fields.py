"""Where a note of the liaison notebook goes in FHIR."""

from tools.dossier_field import Field

_TEXT = "DocumentReference.content.attachment"

NOTES = (
    Field("notes[].key", ("DocumentReference.identifier", "DocumentReference.masterIdentifier")),
    Field("notes[].kind", ("DocumentReference.type",), "TRE_R234"),
    Field("notes[].title", (f"{_TEXT}.title",)),
    Field("notes[].text", (f"{_TEXT}.data",), "the first content, `text/plain` in UTF-8"),
    Field("notes[].urgent", ("DocumentReference.extension(cdl-ext-is-emergency)",)),
    Field(
        "notes[].author",
        ("DocumentReference.author",),
        "a professional twice, as Practitioner and as PractitionerRole; a structure as the shared "
        "Organization and as the member",
    ),
    Field("notes[].createdAt", ("DocumentReference.date",)),
    Field("notes[].editedAt", (f"{_TEXT}.creation",), "of the text"),
    Field("notes[].replyTo", ("DocumentReference.relatesTo",), "code `appends`"),
    Field(
        "notes[].audience.hiddenFrom[]",
        ("DocumentReference.securityLabel", "DocumentReference.meta.security"),
        "TRE_A07; the profile admits one label: the strictest, and `meta.security` has them all",
    ),
    Field(
        "notes[].audience.confidentiality",
        ("DocumentReference.meta.security",),
        "TRE_A08, which the profile does not admit as a label",
    ),
    Field("notes[].audience.onlyFor[]", ("DocumentReference.extension(audience-only-for)",)),
    Field("notes[].status", ("DocumentReference.status",)),
    Field(
        "notes[].files[].mimeType",
        (f"{_TEXT}.contentType",),
        "each file is a content after the text",
    ),
    Field("notes[].files[].name", (f"{_TEXT}.extension(file-name)",)),
    Field("notes[].files[].size", (f"{_TEXT}.size",)),
    Field("notes[].files[].sha256", (f"{_TEXT}.extension(file-sha256)",)),
    Field(
        "notes[].files[].url",
        (f"{_TEXT}.url", f"{_TEXT}.extension(file-source-url)"),
        "ours when the bytes were sent too",
    ),
    Field("notes[].files[].data", ("Binary", f"{_TEXT}.hash"), "`hash` is the SHA-1"),
    Field("notes[].readBy[].member", ("DocumentReference.extension(note-read)",)),
    Field("notes[].readBy[].at", ("DocumentReference.extension(note-read)",)),
)

INTRO = (
    "DocumentReference, profile `cdl-document-reference`, and a Binary for each file whose bytes "
    "were sent. What tells it apart from a document is the section in its identifier."
)
