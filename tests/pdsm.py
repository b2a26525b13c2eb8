"""Documents as PDSm shares them: made here, after the profiles and the pages of the guide.

https://interop.esante.gouv.fr/ig/fhir/pdsm/st_ajout.html
"""

import hashlib
from base64 import b64encode
from typing import Any

PDSM = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"
MHD = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/"
NOS = "https://mos.esante.gouv.fr/NOS/"
LIST_TYPES = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"
COMPREHENSIVE = PDSM + "pdsm-comprehensive-document-reference"
ARCHIVED = PDSM + "pdsm-ext-is-archived"
RFC3986 = "urn:ietf:rfc:3986"
TEXT = b"Compte rendu d'hospitalisation."

Json = dict[str, Any]


def concept(system: str, code: str) -> Json:
    """Give a CodeableConcept; a system without a colon is one of the NOS."""
    name = system.partition("-")[0]
    address = f"{NOS}{system}/FHIR/{system.replace('_', '-')}" if name[:4] == "TRE_" else system
    return {"coding": [{"system": address, "code": code}]}


def sha1(data: bytes) -> str:
    """Give the hash of an attachment."""
    return b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def uuid(number: int) -> str:
    """Give an address of an entry within a bundle."""
    return f"urn:uuid:00000000-0000-4000-8000-{number:012}"


def patient(number: str = "156", id: str = "p1") -> Json:
    """Give the person whom the documents are about."""
    return {
        "resourceType": "Patient",
        "id": id,
        "identifier": [{"system": "https://hopital.example/ipp", "value": number}],
        "name": [{"family": "Claire", "given": ["Martin"]}],
    }


def author() -> Json:
    """Give the professional who wrote them, contained."""
    return {
        "resourceType": "Practitioner",
        "id": "author",
        "identifier": [{"system": "https://rpps.esante.gouv.fr", "value": "10101201234"}],
        "name": [{"family": "Dupont", "given": ["Emma"]}],
    }


def document(number: int = 1, data: bytes = TEXT, url: str = "Binary/b1", **more: Any) -> Json:
    """Give a comprehensive DocumentReference about those bytes."""
    return {
        "resourceType": "DocumentReference",
        "meta": {"profile": [COMPREHENSIVE]},
        "contained": [
            {k: v for k, v in patient().items() if k != "id"} | {"id": "patient"},
            author(),
        ],
        "masterIdentifier": {"use": "usual", "system": RFC3986, "value": f"urn:oid:2.25.{number}"},
        "status": "current",
        "type": concept("http://loinc.org", "34133-9"),
        "category": [concept("TRE_A03-ClasseDocument", "10")],
        "subject": {"reference": "Patient/p1"},
        "date": "2026-01-12T12:00:00+01:00",
        "author": [{"reference": "#author"}],
        "custodian": {"display": "Centre hospitalier de l'Exemple"},
        "securityLabel": [concept("TRE_A08-HL7Confidentiality", "N")],
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain",
                    "language": "fr-FR",
                    "url": url,
                    "size": len(data),
                    "hash": sha1(data),
                    "title": "CR d'hospitalisation",
                    "creation": "2026-01-10T09:30:00+01:00",
                },
                "format": {
                    "system": f"{NOS}TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode",
                    "code": "urn:ihe:iti:xds-sd:text:2008",
                },
            }
        ],
        "context": {
            "period": {"start": "2026-01-05T08:00:00+01:00", "end": "2026-01-10T08:00:00+01:00"},
            "facilityType": concept("TRE_R02-SecteurActivite", "SA01"),
            "practiceSetting": concept("TRE_A01-CadreExercice", "ETABLISSEMENT"),
            "sourcePatientInfo": {"reference": "#patient"},
        },
        **more,
    }


def simplified(data: bytes = TEXT, **more: Any) -> Json:
    """Give a document with its bytes, as it is published in one request."""
    whole = document()
    attachment = {k: v for k, v in whole["content"][0]["attachment"].items() if k != "url"}
    attachment |= {"data": b64encode(data).decode(), "size": len(data), "hash": sha1(data)}
    content = [whole["content"][0] | {"attachment": attachment}]
    return whole | {
        "meta": {"profile": [PDSM + "pdsm-simplified-publish"]},
        "content": content,
        **more,
    }


def binary(data: bytes = TEXT) -> Json:
    """Give the Binary of those bytes."""
    return {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "data": b64encode(data).decode(),
    }


def submission_set(*items: str, recipients: tuple[str, ...] = (), **more: Any) -> Json:
    """Give a submission set of documents and folders."""
    sector = concept("TRE_R02-SecteurActivite", "SA05")
    return {
        "resourceType": "List",
        "meta": {"profile": [PDSM + "pdsm-submissionset-comprehensive"]},
        "contained": [
            {
                "resourceType": "PractitionerRole",
                "id": "source",
                "practitioner": {"reference": "#author"},
                "telecom": [{"system": "email", "value": "emma.dupont@demo.mssante.fr"}],
            },
            author(),
        ],
        "extension": [
            {"url": MHD + "ihe-designationType", "valueCodeableConcept": sector},
            {
                "url": MHD + "ihe-sourceId",
                "valueIdentifier": {"system": "urn:oid:1.2.3", "value": "SRC-01"},
            },
            {"url": ARCHIVED, "valueBoolean": False},
            *(
                {
                    "url": PDSM + "pdsm-ext-intended-recipient",
                    "valueReference": {"reference": recipient},
                }
                for recipient in recipients
            ),
        ],
        "status": "current",
        "mode": "working",
        "title": "Suivi post-opératoire",
        "code": {"coding": [{"system": LIST_TYPES, "code": "submissionset"}]},
        "subject": {"reference": "Patient/p1"},
        "date": "2026-01-12T14:00:00+01:00",
        "source": {"reference": "#source"},
        "entry": [{"item": {"reference": item}} for item in items],
        **more,
    }


def folder(title: str, *items: str, **more: Any) -> Json:
    """Give a folder of documents."""
    activity = concept("TRE_R209-TypeActivite", "97")
    return {
        "resourceType": "List",
        "meta": {"profile": [PDSM + "pdsm-folder-comprehensive"]},
        "extension": [{"url": MHD + "ihe-designationType", "valueCodeableConcept": activity}],
        "status": "current",
        "mode": "working",
        "title": title,
        "code": {"coding": [{"system": LIST_TYPES, "code": "folder"}]},
        "subject": {"reference": "Patient/p1"},
        "date": "2026-01-12T14:00:00+01:00",
        "entry": [{"item": {"reference": item}} for item in items],
        **more,
    }


def superseding() -> Json:
    """Give the patch by which a source supersedes what it replaces."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "replace"},
                    {"name": "path", "valueString": "DocumentReference.status"},
                    {"name": "value", "valueCode": "superseded"},
                ],
            }
        ],
    }


def entry(resource: Json, number: int, method: str = "POST", url: str = "") -> Json:
    """Give an entry of a bundle."""
    request = {"method": method, "url": url or resource["resourceType"]}
    named = {"fullUrl": uuid(number)} if method == "POST" else {}
    return named | {"resource": resource, "request": request}


def bundle(*entries: Json) -> Json:
    """Give a transaction of document sharing."""
    profile = PDSM + "pdsm-comprehensive-provide-document-bundle"
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [profile]},
        "type": "transaction",
        "entry": list(entries),
    }


def provided(number: int = 1, data: bytes = TEXT, **more: Any) -> Json:
    """Give a bundle of one document, its bytes and its submission set."""
    return bundle(
        entry(submission_set(uuid(2)), 1),
        entry(document(number, data, uuid(3), **more), 2),
        entry(binary(data), 3),
    )
