"""Where the alerts of a dossier go in FHIR."""

from tools.dossier_field import Field

ALERTS = (
    Field("alerts[].key", ("Flag.identifier",)),
    Field(
        "alerts[].kind",
        ("Flag.category", "CommunicationRequest.category"),
        "a code of ours, and the category of HL7 where it has one",
    ),
    Field("alerts[].title", ("Flag.code.text", "CommunicationRequest.payload.contentString")),
    Field("alerts[].text", ("Flag.extension(alert-text)",)),
    Field(
        "alerts[].severity",
        ("Flag.extension(flag-priority)", "CommunicationRequest.priority"),
        "information, warning, urgent: PL, PM, PH, and `routine`, `urgent`, `stat`",
    ),
    Field(
        "alerts[].status",
        ("Flag.status",),
        "acknowledged is `active` with `extension(alert-status)`, resolved is `inactive`; a "
        "CommunicationRequest is `completed` once its recipient took note or the alert is resolved",
    ),
    Field("alerts[].raisedAt", ("Flag.period.start", "CommunicationRequest.authoredOn")),
    Field(
        "alerts[].raisedBy",
        ("Flag.author", "Flag.extension(alert-author)", "CommunicationRequest.requester"),
        "the extension for a relative",
    ),
    Field(
        "alerts[].recipients[]",
        ("Flag.extension(alert-warning)", "CommunicationRequest.recipient"),
        "one CommunicationRequest each; `revoked` when the recipient is taken out",
    ),
    Field(
        "alerts[].acks[].by",
        ("Flag.extension(alert-acknowledgement)", "Communication.sender"),
        "one Communication each, `basedOn` the CommunicationRequest to that recipient",
    ),
    Field("alerts[].acks[].at", ("Communication.sent",)),
    Field("alerts[].about", ("Flag.extension(flag-detail)",)),
    Field("alerts[].until", ("Flag.period.end",)),
)
