"""Where what was told and decided of the sharing, and the messages, go in FHIR."""

from tools.dossier_field import Field

_BY = ("Consent.extension(consent-collected-by)",)
_MEANS = ("Consent.extension(consent-means)",)

SHARING = (
    Field("sharing.informed.at", ("Consent.dateTime",)),
    Field("sharing.informed.by", _BY),
    Field("sharing.informed.means", _MEANS),
    Field("sharing.informed.noticeVersion", ("Consent.extension(consent-notice-version)",)),
    Field("sharing.decisions[].key", ("Consent.identifier",)),
    Field(
        "sharing.decisions[].kind",
        ("Consent.status", "Consent.provision.type"),
        "consent is `active` and `permit`, opposition `active` and `deny`, withdrawal `inactive` "
        "and `permit`",
    ),
    Field("sharing.decisions[].scope", ("Consent.category",), "beside LOINC 59284-0"),
    Field(
        "sharing.decisions[].target",
        ("Consent.extension(consent-target)", "Consent.provision.actor", "Consent.provision.data"),
        "a member is also the actor, a document the data, a section the class of the provision",
    ),
    Field("sharing.decisions[].at", ("Consent.dateTime",)),
    Field("sharing.decisions[].until", ("Consent.provision.period.end",)),
    Field("sharing.decisions[].givenBy", ("Consent.performer",)),
    Field("sharing.decisions[].collectedBy", _BY),
    Field("sharing.decisions[].means", _MEANS),
    Field(
        "sharing.decisions[].legitimateReason", ("Consent.extension(consent-legitimate-reason)",)
    ),
    Field("sharing.protection", ("Consent.extension(protection-regime)",)),
)

_RECEIPT = ("Communication.extension(message-receipt)",)

MESSAGES = (
    Field("messages[].key", ("Communication.identifier",)),
    Field("messages[].messageId", ("Communication.identifier",)),
    Field("messages[].direction", ("Communication.category",)),
    Field("messages[].from", ("Communication.sender",), "by its address"),
    Field("messages[].to[]", ("Communication.recipient",), "by their addresses"),
    Field("messages[].subject", ("Communication.topic.text",)),
    Field("messages[].text", ("Communication.payload.contentString",)),
    Field(
        "messages[].documents[]",
        ("Communication.about", "Communication.payload.contentReference"),
    ),
    Field("messages[].inReplyTo", ("Communication.inResponseTo",), "by its Message-ID"),
    Field("messages[].sentAt", ("Communication.sent",)),
    Field(
        "messages[].status",
        ("Communication.status", "Communication.extension(message-status)"),
        "the extension says what R4 has no code for, as long as the status is the one it goes with",
    ),
    Field("messages[].receipts[].kind", _RECEIPT),
    Field("messages[].receipts[].at", _RECEIPT),
    Field("messages[].receipts[].recipient", _RECEIPT),
    Field("messages[].receipts[].code", _RECEIPT),
    Field("messages[].by", ("Communication.extension(message-by)",)),
    Field("messages[].onBehalfOf", ("Communication.extension(message-on-behalf-of)",)),
)
