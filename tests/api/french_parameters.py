"""What the search parameters of the French guides find: one resource of each type, and how to ask.

https://interop.esante.gouv.fr/ig/fhir/cds , pdsm, gap, nde, tde and annuaire.
"""

AS = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-"
MHD = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-"
BIRTHPLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
ARCHIVED = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
EVENT = "https://interop.esante.gouv.fr/ig/fhir/nde/StructureDefinition/event-type"
INSEE = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code"
OF_ORGANIZATION = "http://hl7.org/fhir/StructureDefinition/organization-period"
CODING = {"system": "urn:oid:1.2.3", "code": "c"}
CONCEPT = {"coding": [CODING]}
PERIOD = {"start": "2026-01-12", "end": "2026-02-12"}
TOKEN = "urn:oid:1.2.3|c"
PATIENT = {"reference": "Patient/fr"}
ORGANIZATION = {"reference": "Organization/fr"}


def extended(url, *inner, **value):
    """Give an extension with a value, or with others within."""
    return {"url": url, **value} | ({"extension": list(inner)} if inner else {})


TRACE = extended(
    AS + "data-trace",
    extended("autorite-enregistrement", valueCodeableConcept=CONCEPT),
    extended("systeme-information", valueCodeableConcept=CONCEPT),
)
CARD = extended(
    AS + "practitionerrole-smartcard",
    extended("type", valueCodeableConcept=CONCEPT),
    extended("number", valueString="2800000001"),
)
MAILBOX = {
    "system": "email",
    "value": "cabinet@medecin.mssante.fr",
    "extension": [
        extended(AS + "mailbox-mss-metadata", extended("type", valueCodeableConcept=CONCEPT))
    ],
}
MAILED = {"mailbox-mss": "cabinet@medecin", "mailbox-mss-type": TOKEN}
TRACED = {"data-registration-authority": TOKEN, "data-information-system": TOKEN}
OF_DAY = {"start": "2026-01-12T09:00:00Z", "end": "2026-01-12T10:00:00Z"}

RESOURCES = {
    "Patient": {
        "extension": [extended(BIRTHPLACE, valueAddress={"city": "Besançon"})],
    },
    "Organization": {
        "extension": [
            TRACE,
            extended(AS + "organization-pharmacy-licence", valueString="75#000001"),
            extended(OF_ORGANIZATION, valuePeriod=PERIOD),
        ],
        "name": "Cabinet",
        "telecom": [MAILBOX],
        "address": [
            {
                "extension": [
                    extended(INSEE, valueString="75056"),
                    extended(OF_ORGANIZATION, valuePeriod=PERIOD),
                ],
                "line": ["1 rue de la Paix"],
            }
        ],
    },
    "Practitioner": {
        "extension": [TRACE],
        "telecom": [MAILBOX],
        "qualification": [{"code": CONCEPT}],
    },
    "PractitionerRole": {"extension": [TRACE, CARD], "telecom": [MAILBOX]},
    "Device": {"extension": [TRACE]},
    "HealthcareService": {"extension": [TRACE]},
    "CareTeam": {
        "period": PERIOD,
        "participant": [{"period": PERIOD}],
        "managingOrganization": [ORGANIZATION],
    },
    "Slot": {"schedule": {"display": "agenda"}, "status": "free", **OF_DAY},
    "Appointment": {
        "status": "booked",
        "created": "2026-01-12",
        "priority": 5,
        "description": "Consultation",
        "participant": [{"actor": PATIENT, "status": "accepted"}],
        **OF_DAY,
    },
    "CommunicationRequest": {
        "extension": [extended(EVENT, valueCodeableConcept=CONCEPT)],
        "status": "active",
    },
    "DocumentReference": {
        "extension": [extended(ARCHIVED, valueBoolean=True)],
        "status": "current",
        "content": [{"attachment": {"url": "https://exemple.fr/d", "creation": "2026-01-12"}}],
        "context": {"period": PERIOD},
    },
    "List": {
        "extension": [
            extended(ARCHIVED, valueBoolean=True),
            extended(MHD + "authorOrg", valueReference=ORGANIZATION),
            extended(MHD + "designationType", valueCodeableConcept=CONCEPT),
            extended(MHD + "sourceId", valueIdentifier={"system": "urn:oid:1.2.3", "value": "c"}),
        ],
        "status": "current",
        "mode": "working",
        "subject": PATIENT,
        "source": PATIENT,
    },
    "AuditEvent": {
        "type": CODING,
        "recorded": "2026-01-12T09:00:00Z",
        "agent": [{"requestor": True}],
        "source": {"observer": PATIENT},
        "period": PERIOD,
    },
}
"""One resource of each type, its id left out, with all that the definitions look at."""

SEARCHES = {
    "Patient": {"birthplace": "Besancon"},
    "Organization": {
        **MAILED,
        **TRACED,
        "pharmacy-licence": "75#000001",
        "period": "ge2026-01-15",
        "address-insee": "75056",
        "address-line": "1 rue",
    },
    "Practitioner": {**MAILED, **TRACED, "qualification-code": TOKEN},
    "PractitionerRole": {
        **MAILED,
        **TRACED,
        "type-smartcard": TOKEN,
        "number-smartcard": "2800000001",
    },
    "Device": TRACED,
    "HealthcareService": TRACED,
    "CareTeam": {
        "start": "2026-01-12",
        "end": "2026-02-12",
        "participant-start": "2026-01-12",
        "participant-end": "2026-02-12",
        "managingOrganization": "Organization/fr",
    },
    "Slot": {"start": "2026-01-12"},
    "Appointment": {
        "created": "2026-01-12",
        "start": "2026-01-12",
        "priority": "5",
        "description": "consultation",
    },
    "CommunicationRequest": {"event-type": TOKEN},
    "DocumentReference": {
        "isArchived": "true",
        "creation": "2026-01-12",
        "period-start": "2026-01-12",
        "period-end": "2026-02-12",
    },
    "List": {
        "isArchived": "true",
        "authorOrg": "Organization/fr",
        "designationType": TOKEN,
        "sourceId": TOKEN,
        "source": "Patient/fr",
        "patient": "Patient/fr",
    },
    "AuditEvent": {"period-start": "2026-01-12"},
}
"""What each code is asked, by type."""
