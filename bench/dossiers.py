"""Invented French dossiers, numbered: eight resources a patient, and who cares for them.

64,000 patients come to 512,000 resources, 640 practitioners and 64 organisations. Everything
follows from the number. Ids are given here, in the order of the numbers, as UUIDs of version 7
come in the order of time.
"""

from collections.abc import Iterator

from bench.patients import Resource, ipp, patient

PATIENTS_A_PRACTITIONER = 100
PATIENTS_AN_ORGANIZATION = 1_000
LOINC = "http://loinc.org"
RPPS = "urn:oid:1.2.250.1.71.4.2.1"
FINESS = "urn:oid:1.2.250.1.71.4.2.2"
STAYS = "https://ch-exemple.example/sejours"
TITLES = ("Demander l'APA", "Renouveler l'ordonnance", "Appeler la famille", "Planifier la VAD")
OF_A_PATIENT = 8
"""As many resources one patient comes to."""


def id_of(type_: str, number: int) -> str:
    return f"{type_.lower()}-{number:08d}"


def link(type_: str, number: int) -> Resource:
    return {"reference": f"{type_}/{id_of(type_, number)}"}


def organization(number: int) -> Resource:
    return {
        "resourceType": "Organization",
        "id": id_of("Organization", number),
        "identifier": [{"system": FINESS, "value": f"99{number:07d}"}],
        "active": True,
        "name": f"Centre hospitalier d'exemple n° {number}",
        "address": [{"city": "Albi", "postalCode": "81000", "country": "FRA"}],
    }


def practitioner(number: int) -> Resource:
    return {
        "resourceType": "Practitioner",
        "id": id_of("Practitioner", number),
        "identifier": [{"system": RPPS, "value": f"99{number:09d}"}],
        "active": True,
        "name": [{"family": f"Exemple-{number}", "given": ["Sophie"], "prefix": ["Dr"]}],
    }


def _day(number: int, hour: int) -> str:
    return f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T{hour:02d}:00:00+01:00"


def _coded(system: str, code: str, text: str) -> Resource:
    return {"coding": [{"system": system, "code": code}], "text": text}


def encounter(number: int) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": id_of("Encounter", number),
        "identifier": [{"system": STAYS, "value": f"S{number}"}],
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": link("Patient", number),
        "participant": [{"individual": _doctor(number)}],
        "period": {"start": _day(number, 8), "end": _day(number, 17)},
        "serviceProvider": _house(number),
    }


def _doctor(number: int) -> Resource:
    return link("Practitioner", number // PATIENTS_A_PRACTITIONER)


def _house(number: int) -> Resource:
    return link("Organization", number // PATIENTS_AN_ORGANIZATION)


def care_team(number: int) -> Resource:
    return {
        "resourceType": "CareTeam",
        "id": id_of("CareTeam", number),
        "status": "active",
        "name": "Cercle de soins",
        "subject": link("Patient", number),
        "participant": [
            {"role": [{"text": "médecin traitant"}], "member": _doctor(number)},
            {"role": [{"text": "structure"}], "member": _house(number)},
        ],
    }


def document_reference(number: int) -> Resource:
    return {
        "resourceType": "DocumentReference",
        "id": id_of("DocumentReference", number),
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:1.2.3.{number}"},
        "status": "current",
        "type": _coded(LOINC, "11490-0", "Lettre de liaison"),
        "subject": link("Patient", number),
        "date": _day(number, 17),
        "author": [_doctor(number)],
        "custodian": _house(number),
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "url": f"Binary/lettre-{number}",
                    "title": "Lettre de liaison à la sortie",
                    "size": 48_213,
                }
            }
        ],
        "context": {"encounter": [link("Encounter", number)]},
    }


def appointment(number: int) -> Resource:
    return {
        "resourceType": "Appointment",
        "id": id_of("Appointment", number),
        "status": "booked",
        "description": "Consultation de suivi",
        "start": _day(number + 1, 14),
        "end": _day(number + 1, 15),
        "participant": [
            {"actor": link("Patient", number), "status": "accepted"},
            {"actor": _doctor(number), "status": "accepted"},
        ],
    }


def task(number: int) -> Resource:
    return {
        "resourceType": "Task",
        "id": id_of("Task", number),
        "status": "requested" if number % 3 else "completed",
        "intent": "order",
        "priority": "urgent" if number % 10 == 0 else "routine",
        "description": TITLES[number % len(TITLES)],
        "for": link("Patient", number),
        "authoredOn": _day(number, 10),
        "requester": _house(number),
        "owner": _doctor(number),
    }


def communication(number: int) -> Resource:
    return {
        "resourceType": "Communication",
        "id": id_of("Communication", number),
        "status": "completed",
        "subject": link("Patient", number),
        "sent": _day(number, 18),
        "recipient": [_doctor(number)],
        "sender": _house(number),
        "payload": [{"contentString": f"Document du dossier {ipp(number)}"}],
    }


def observation(number: int) -> Resource:
    kilograms = {"system": "http://unitsofmeasure.org", "code": "kg", "unit": "kg"}
    return {
        "resourceType": "Observation",
        "id": id_of("Observation", number),
        "status": "final",
        "category": [
            _coded(
                "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vie"
            )
        ],
        "code": _coded(LOINC, "29463-7", "Poids"),
        "subject": link("Patient", number),
        "encounter": link("Encounter", number),
        "effectiveDateTime": _day(number, 9),
        "performer": [_doctor(number)],
        "valueQuantity": kilograms | {"value": 45 + number % 60},
    }


def dossier(number: int) -> tuple[Resource, ...]:
    """Give the resources of one patient, each after those that it refers to."""
    return (
        patient(number) | {"id": id_of("Patient", number)},
        encounter(number),
        care_team(number),
        document_reference(number),
        appointment(number),
        task(number),
        communication(number),
        observation(number),
    )


def surroundings(patients: int) -> Iterator[Resource]:
    """Give who cares for that many patients."""
    for number in range(-(-patients // PATIENTS_AN_ORGANIZATION)):
        yield organization(number)
    for number in range(-(-patients // PATIENTS_A_PRACTITIONER)):
        yield practitioner(number)


def everything(patients: int) -> Iterator[Resource]:
    """Give all resources of that many dossiers."""
    yield from surroundings(patients)
    for number in range(patients):
        yield from dossier(number)
