"""Which native field goes to which FHIR elements: the tables of the mapping's page."""

from tools.dossier_alert_fields import ALERTS
from tools.dossier_event_fields import EVENTS
from tools.dossier_event_fields import INTRO as EVENTS_INTRO
from tools.dossier_field import Field
from tools.dossier_form_fields import FORMS
from tools.dossier_note_fields import INTRO as NOTES_INTRO
from tools.dossier_note_fields import NOTES
from tools.dossier_root_fields import PATHWAYS, ROOT
from tools.dossier_sharing_fields import MESSAGES, SHARING


def _of_members(extension: str) -> tuple[str, ...]:
    """Give an extension on each of the types that stand for a member."""
    types = ("PractitionerRole", "RelatedPerson", "Organization")
    return tuple(f"{type_}.extension({extension})" for type_ in types)


_RELIABILITY = "Patient.extension(fr-core-identity-reliability)"
_PLACE = "Patient.extension(patient-birthPlace).valueAddress"
_NAME = "PractitionerRole.extension(member-name).valueHumanName"
_FILE = "DocumentReference.content.attachment"

PERSON = (
    Field("person.identifiers[]", ("Patient.identifier",), "type `PI`; the first one names it"),
    Field("person.identity.birthName", ("Patient.name.family",), "use `official`"),
    Field(
        "person.identity.birthFirstNames[]",
        ("Patient.name.extension(fr-core-patient-birth-list-given-name)", "Patient.name.given"),
        "`given` holds the first one only",
    ),
    Field("person.identity.usedName", ("Patient.name.family",), "use `usual`"),
    Field("person.identity.usedFirstName", ("Patient.name.given",), "use `usual`"),
    Field("person.identity.sex", ("Patient.gender",), "M, F, U: male, female, unknown"),
    Field("person.identity.birthDate", ("Patient.birthDate",), "as precise as it is known"),
    Field(
        "person.identity.birthPlaceCode",
        (f"{_PLACE}.extension(fr-core-address-insee-code)",),
        "COG: TRE_R13, or TRE_R20 for a country",
    ),
    Field("person.identity.birthPlaceName", (f"{_PLACE}.city",)),
    Field(
        "person.identity.status",
        (_RELIABILITY,),
        "only qualified is VALI; `extension(identity-status)` where the French code does not give "
        "it back",
    ),
    Field("person.identity.flags[]", (_RELIABILITY,), "HOMA, DOUT, FICT: one occurrence each"),
    Field(
        "person.identity.proof.kind",
        (_RELIABILITY, "Patient.extension(identity-proof)"),
        "ours when it is no French code",
    ),
    Field(
        "person.identity.proof.checkedAt",
        (_RELIABILITY, "Patient.extension(identity-proof)"),
        "the French extension holds the day only",
    ),
    Field("person.identity.proof.checkedBy", ("Patient.extension(identity-proof)",)),
    Field(
        "person.identity.ins.number",
        ("Patient.identifier.value",),
        "use `official`; set apart from what is served unless the identity is qualified",
    ),
    Field("person.identity.ins.oid", ("Patient.identifier.system",), "as `urn:oid:`"),
    Field(
        "person.identity.ins.obtainedAt",
        ("Patient.identifier.extension(ins-obtained-at)",),
    ),
    Field("person.identity.ins.checkedAt", ("Patient.identifier.extension(ins-checked-at)",)),
    Field("person.identity.ins.history[]", ("Patient.identifier",), "use `old`"),
    Field("person.identity.ins.history[].from", ("Patient.identifier.period.start",)),
    Field("person.identity.ins.history[].until", ("Patient.identifier.period.end",)),
    Field("person.languages[]", ("Patient.communication.language",), "text when it is no code"),
    Field("person.maritalStatus", ("Patient.maritalStatus",)),
    Field(
        "person.death.date",
        ("Patient.deceasedDateTime", "Patient.extension(death)"),
        "ours when the declaration was cancelled",
    ),
    Field(
        "person.death.place",
        ("Patient.extension(fr-core-patient-death-place)", "Patient.extension(death)"),
        "a line of the address; ours when the declaration was cancelled",
    ),
    Field(
        "person.death.placeCode",
        ("Patient.extension(fr-core-patient-death-place)", "Patient.extension(death)"),
        "COG; ours when the declaration was cancelled",
    ),
    Field("person.death.declaredAt", ("Patient.extension(death)",)),
    Field("person.death.declaredBy", ("Patient.extension(death)",)),
    Field("person.death.source", ("Patient.extension(death)",)),
)

CONTACT = (
    Field("person.contact.phones[].number", ("Patient.telecom.value",), "system `phone`"),
    Field("person.contact.phones[].use", ("Patient.telecom.use",)),
    Field("person.contact.emails[]", ("Patient.telecom.value",), "system `email`"),
    Field(
        "person.contact.mailboxes[].address",
        ("Patient.telecom.extension(fr-core-contact-point-email-type)",),
        "an `email` of type MSSANTE",
    ),
    Field(
        "person.contact.mailboxes[].type",
        (
            "Patient.telecom.extension(as-ext-mailbox-mss-metadata)",
            "Patient.telecom.extension(mailbox-type)",
        ),
        "ours for USAGER, which TRE_R257 does not have",
    ),
    Field(
        "person.contact.mailboxes[].unlisted",
        ("Patient.telecom.extension(as-ext-mailbox-mss-metadata)",),
    ),
    Field("person.contact.address.lines[]", ("Patient.address.line",)),
    Field("person.contact.address.postalCode", ("Patient.address.postalCode",)),
    Field("person.contact.address.city", ("Patient.address.city",)),
    Field(
        "person.contact.address.inseeCode",
        ("Patient.address.extension(fr-core-address-insee-code)",),
    ),
    Field("person.contact.address.country", ("Patient.address.country",)),
)

STRUCTURE = (
    Field("managing.name", ("Organization.name",)),
    Field("managing.nationalId", ("Organization.identifier",), "type `IDNST`"),
    Field("managing.finess", ("Organization.identifier",)),
    Field("managing.siret", ("Organization.identifier",), "type `SIRET`"),
    Field("managing.legalName", ("Organization.extension(fr-core-organization-raison-sociale)",)),
    Field("managing.unit", ("Organization.extension(structure-unit)",)),
    Field("managing.contact", ("Organization.telecom", "Organization.address")),
)

CIRCLE = (
    Field(
        "circle[].key",
        ("PractitionerRole.identifier", "RelatedPerson.identifier", "Organization.identifier"),
    ),
    Field(
        "circle[].kind",
        ("PractitionerRole", "RelatedPerson", "Organization"),
        "professional, relative, structure",
    ),
    Field("circle[].periods[].start", ("CareTeam.participant.period.start",), "one each"),
    Field("circle[].periods[].end", ("CareTeam.participant.period.end",)),
    Field(
        "circle[].role",
        ("CareTeam.participant.role",),
        "of a relative also `RelatedPerson.relationship`",
    ),
    Field(
        "circle[].professional.nationalId",
        ("PractitionerRole.practitioner.identifier", "Practitioner.identifier"),
        "RPPS twice: eleven digits, and idNat_PS",
    ),
    Field(
        "circle[].professional.nationalIdType",
        ("PractitionerRole.practitioner.identifier.type",),
    ),
    Field("circle[].professional.title", (f"{_NAME}.prefix", "Practitioner.name.prefix")),
    Field("circle[].professional.familyName", (f"{_NAME}.family", "Practitioner.name.family")),
    Field("circle[].professional.givenName", (f"{_NAME}.given", "Practitioner.name.given")),
    Field(
        "circle[].professional.profession",
        ("PractitionerRole.code", "Practitioner.qualification"),
    ),
    Field("circle[].professional.careRole", ("PractitionerRole.code",)),
    Field(
        "circle[].professional.speciality",
        ("PractitionerRole.specialty", "PractitionerRole.code"),
        "`specialty` for TRE_R38",
    ),
    Field("circle[].professional.structure", ("PractitionerRole.organization",)),
    Field("circle[].professional.directoryId", ("PractitionerRole.extension(directory-id)",)),
    Field(
        "circle[].structure",
        ("Organization.partOf",),
        "the member is an Organization of its own, part of the shared one",
    ),
    Field("circle[].relative.familyName", ("RelatedPerson.name.family",)),
    Field("circle[].relative.givenName", ("RelatedPerson.name.given",)),
    Field("circle[].relative.relation", ("RelatedPerson.relationship",)),
    Field(
        "circle[].contact",
        (
            "PractitionerRole.telecom",
            "PractitionerRole.extension(address)",
            "RelatedPerson.telecom",
            "RelatedPerson.address",
            "Organization.contact",
        ),
        "by kind",
    ),
    Field("circle[].account", _of_members("member-account"), "by kind"),
    Field("circle[].basis", _of_members("member-basis"), "by kind"),
    Field("circle[].consent", _of_members("member-consent"), "by kind"),
    Field("circle[].referent", _of_members("member-referent"), "by kind"),
    Field("circle[].invitedBy", _of_members("member-invited-by"), "by kind"),
    Field("circle[].leftReason", _of_members("member-left-reason"), "by kind"),
)

DOCUMENTS = (
    Field("documents[].key", ("DocumentReference.identifier",)),
    Field("documents[].uniqueId", ("DocumentReference.masterIdentifier",)),
    Field("documents[].title", (f"{_FILE}.title",)),
    Field("documents[].type", ("DocumentReference.type",)),
    Field("documents[].category", ("DocumentReference.category",)),
    Field("documents[].formatCode", ("DocumentReference.content.format",)),
    Field("documents[].folder", ("List.title", "List.entry"), "one List (PDSm) for each name"),
    Field("documents[].createdAt", (f"{_FILE}.creation",)),
    Field("documents[].depositedAt", ("DocumentReference.date",)),
    Field("documents[].author", ("DocumentReference.author", "DocumentReference.contained")),
    Field("documents[].depositor", ("DocumentReference.extension(depositor)",)),
    Field("documents[].act.start", ("DocumentReference.context.period.start",)),
    Field("documents[].act.end", ("DocumentReference.context.period.end",)),
    Field("documents[].setting", ("DocumentReference.context.practiceSetting",)),
    Field("documents[].sector", ("DocumentReference.context.facilityType",)),
    Field("documents[].description", ("DocumentReference.description",)),
    Field("documents[].status", ("DocumentReference.status",)),
    Field("documents[].archived", ("DocumentReference.extension(pdsm-ext-is-archived)",)),
    Field("documents[].replaces", ("DocumentReference.relatesTo",), "code `replaces`"),
    Field("documents[].audience.hiddenFrom[]", ("DocumentReference.securityLabel",), "TRE_A07"),
    Field("documents[].audience.confidentiality", ("DocumentReference.securityLabel",), "TRE_A08"),
    Field(
        "documents[].audience.onlyFor[]",
        ("DocumentReference.extension(audience-only-for)",),
    ),
    Field("documents[].origin", ("DocumentReference.extension(document-origin)",)),
    Field(
        "documents[].files[].mimeType",
        (f"{_FILE}.contentType",),
        "a further file is a DocumentReference that `appends` to the first",
    ),
    Field("documents[].files[].name", (f"{_FILE}.extension(file-name)",)),
    Field("documents[].files[].size", (f"{_FILE}.size",)),
    Field("documents[].files[].sha256", (f"{_FILE}.extension(file-sha256)",)),
    Field(
        "documents[].files[].url",
        (f"{_FILE}.url", f"{_FILE}.extension(file-source-url)"),
        "ours when the bytes were sent too",
    ),
    Field(
        "documents[].files[].data",
        ("Binary", f"{_FILE}.hash"),
        "`hash` is the SHA-1 that PDSm fixes",
    ),
)

APPOINTMENTS = (
    Field("appointments[].key", ("Appointment.identifier",)),
    Field("appointments[].uid", ("Appointment.identifier",)),
    Field("appointments[].title", ("Appointment.description",)),
    Field("appointments[].text", ("Appointment.comment",)),
    Field("appointments[].kind", ("Appointment.appointmentType",)),
    Field("appointments[].start", ("Appointment.start",)),
    Field("appointments[].end", ("Appointment.end",)),
    Field("appointments[].status", ("Appointment.status",)),
    Field(
        "appointments[].cancelReason",
        ("Appointment.cancelationReason", "Appointment.extension(appointment-cancel-reason)"),
        "ours where R4 (app-4) admits no reason",
    ),
    Field("appointments[].place", ("Appointment.participant.actor.display",), "type `place`"),
    Field("appointments[].organiser", ("Appointment.participant",), "type `organiser`"),
    Field(
        "appointments[].participants[].member",
        (
            "Appointment.participant.actor",
            "Appointment.participant.extension(appointment-organisation)",
        ),
        "a professional takes part twice: as PractitionerRole and as Practitioner (GAP)",
    ),
    Field("appointments[].participants[].answer", ("Appointment.participant.status",)),
    Field("appointments[].rrule", ("Appointment.extension(appointment-rrule)",)),
)

TASKS = (
    Field("tasks[].key", ("Task.identifier",)),
    Field("tasks[].title", ("Task.description",)),
    Field("tasks[].text", ("Task.extension(task-text)",)),
    Field("tasks[].kind", ("Task.code",)),
    Field("tasks[].status", ("Task.status",)),
    Field("tasks[].priority", ("Task.priority",)),
    Field("tasks[].createdAt", ("Task.authoredOn",)),
    Field("tasks[].due", ("Task.restriction.period.end",)),
    Field("tasks[].doneAt", ("Task.executionPeriod.end",)),
    Field("tasks[].requester", ("Task.requester",)),
    Field("tasks[].owner", ("Task.owner",)),
    Field("tasks[].about", ("Task.focus",)),
    Field("tasks[].parent", ("Task.partOf",)),
    Field(
        "tasks[].comments[].by",
        ("Task.note.authorReference",),
        "a professional's role is told by `extension(annotation-author)`",
    ),
    Field("tasks[].comments[].at", ("Task.note.time",)),
    Field("tasks[].comments[].text", ("Task.note.text",)),
    Field("tasks[].audience.hiddenFrom[]", ("Task.meta.security",), "TRE_A07"),
    Field("tasks[].audience.confidentiality", ("Task.meta.security",), "TRE_A08"),
    Field("tasks[].audience.onlyFor[]", ("Task.extension(audience-only-for)",)),
)

GROUPS: tuple[tuple[str, str, tuple[Field, ...]], ...] = (
    (
        "Root",
        "EpisodeOfCare of base R4 (no French profile exists), and the CareTeam of its circle.",
        ROOT,
    ),
    ("Pathways", "Each is a type of the EpisodeOfCare.", PATHWAYS),
    (
        "Sharing",
        "A Consent for each decision, and one for what the person was told.",
        SHARING,
    ),
    (
        "Person",
        "Patient, profile `fr-core-patient-ins` when the identity is rightly qualified, else "
        "`fr-core-patient`. One for each person and platform.",
        PERSON,
    ),
    (
        "Contact",
        "Of the person; of members and structures in the same way on their own resource.",
        CONTACT,
    ),
    (
        "Structures",
        "Organization, profile `fr-core-organization`. Equal structures share one. The same for "
        "`circle[].structure` and `circle[].professional.structure`.",
        STRUCTURE,
    ),
    (
        "Circle",
        "Each member has a resource of its own, and the CareTeam a participant for each of its "
        "periods. Practitioner and Organization are shared.",
        CIRCLE,
    ),
    (
        "Documents",
        "DocumentReference, profile `pdsm-comprehensive-document-reference`, and a Binary for "
        "each file whose bytes were sent.",
        DOCUMENTS,
    ),
    ("Notes", NOTES_INTRO, NOTES),
    ("Events", EVENTS_INTRO, EVENTS),
    (
        "Forms",
        "QuestionnaireResponse of base R4, shaped as `tddui-questionnaire-response`, and an "
        "Observation for each score.",
        FORMS,
    ),
    ("Appointments", "Appointment, profile `fr-core-appointment`.", APPOINTMENTS),
    ("Tasks", "Task of base R4: no generic French profile exists.", TASKS),
    (
        "Alerts",
        "Flag of base R4 for what stays true of the person, a CommunicationRequest for each "
        "warning, a Communication for each acknowledgement.",
        ALERTS,
    ),
    (
        "Messages",
        "Communication of base R4: what the platform itself sent and received.",
        MESSAGES,
    ),
)
