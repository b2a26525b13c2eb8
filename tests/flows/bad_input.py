"""Bad input as a table: what is sent at which door, and what the door answers.

``docs/bad-input.md`` is written from it, and ``test_bad_input.py`` sends every row.
"""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

CANARY = "SECRETISSIME"
"""Stands among the values that are sent; no answer and no line of the log may hold it."""

DOSSIER = f"https://coordination.example/dossiers|{CANARY}"
SENT = "bad-input-document"
FHIR_JSON = "application/fhir+json"
JSON = "application/json"
NIR_OID = "1.2.250.1.213.1.4.8"


class Answer(NamedTuple):
    """What a door answers: the status and the rule of its first issue."""

    status: int
    rule: str


@dataclass(frozen=True)
class Door:
    """Where bodies of JSON come in: how it is asked, and what it would take."""

    title: str
    method: str
    path: str
    good: Mapping[str, Any]
    media: str = FHIR_JSON
    prefix: str = ""  # of the expressions of faults of the resource

    def body(self) -> bytes:
        """Give a body that is well-formed."""
        return json.dumps(self.good).encode()


def patient(**more: Any) -> dict[str, Any]:
    """Give a Patient that would be kept."""
    return {
        "resourceType": "Patient",
        "id": "bad-input",
        "name": [{"family": CANARY, "given": ["Alix"]}],
        "birthDate": "1979-03-28",
        **more,
    }


def transaction(*entries: Mapping[str, Any]) -> dict[str, Any]:
    """Give a transaction of these entries."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def creation(resource: Mapping[str, Any], **request: Any) -> dict[str, Any]:
    """Give the entry that creates a resource."""
    kept = {name: value for name, value in resource.items() if name != "id"}
    url = str(resource.get("resourceType", "Patient"))
    return {"resource": kept, "request": {"method": "POST", "url": url, **request}}


def dossier(**more: Any) -> dict[str, Any]:
    """Give a dossier that would be kept."""
    return {
        "format": "dossier/1",
        "id": {"system": "https://coordination.example/dossiers", "value": CANARY},
        "version": "1",
        "updatedAt": "2026-11-23T09:00:00+01:00",
        "source": {"platform": "https://coordination.example", "software": "Essai"},
        "status": "active",
        "openedAt": "2026-01-12",
        "managing": {"name": "DAC du Tarn (essai)", "finess": "810000000"},
        "person": {
            "identifiers": [
                {"system": "https://coordination.example/patients", "value": f"{CANARY}-1"}
            ],
            "identity": {
                "birthName": CANARY,
                "birthFirstNames": ["ALIX"],
                "sex": "F",
                "birthDate": "1941-07",
                "status": "provisional",
            },
        },
        "circle": [
            {
                "key": "m1",
                "kind": "professional",
                "periods": [{"start": "2026-01-12"}],
                "professional": {
                    "nationalId": "10001234567",
                    "familyName": "DUPONT",
                    "givenName": "Anne",
                },
                "account": "active",
                "basis": "care-team",
            }
        ],
        **more,
    }


def parameters(*recipients: Any, **more: Any) -> dict[str, Any]:
    """Give the parameters of a sending."""
    listed = [{"name": "recipient", "valueString": recipient} for recipient in recipients]
    others = [{"name": name, **value} for name, value in more.items()]
    return {"resourceType": "Parameters", "parameter": [*listed, *others]}


PUT = Door("`PUT` resource", "PUT", "/fhir/Patient/bad-input", patient(), prefix="Patient")
POST = Door("`POST` resource", "POST", "/fhir/Patient", patient(), prefix="Patient")
BUNDLE = Door(
    "`POST` transaction",
    "POST",
    "/fhir",
    transaction(creation(patient())),
    prefix="Bundle.entry[0].resource",
)
PUSH = Door("`PUT /dossiers`", "PUT", f"/dossiers/{DOSSIER}", dossier(), media=JSON)
SEND = Door(
    "`$send-mss`",
    "POST",
    f"/fhir/DocumentReference/{SENT}/$send-mss",
    parameters(f"{CANARY}@demo.mssante.fr"),
)
DOORS = (PUT, POST, BUNDLE, PUSH, SEND)
RESOURCES = (PUT, POST, BUNDLE)


@dataclass(frozen=True)
class Text:
    """A body that is at fault whatever it speaks of, and the answer of every door."""

    title: str
    change: Callable[[bytes], bytes]
    answer: Answer
    headers: Mapping[str, str | None] = field(default_factory=dict)  # None leaves one out
    otherwise: Mapping[str, Answer] = field(default_factory=dict)  # by the title of the door


@dataclass(frozen=True)
class Fault:
    """A resource at fault: what is changed in it, where the fault lies, what is answered."""

    title: str
    changes: Mapping[str, Any]
    answer: Answer
    place: str = ""  # below the resource


@dataclass(frozen=True)
class Case:
    """One request at one door."""

    title: str
    method: str
    path: str
    answer: Answer
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    place: str | None = None


def send(title: str, body: Any, answer: Answer, place: str | None = None, **more: Any) -> Case:
    """Give a case at the door of sendings."""
    return Case(title, SEND.method, SEND.path, answer, body, place=place, **more)


def push(title: str, answer: Answer, place: str | None = None, **changes: Any) -> Case:
    """Give a case at the door of dossiers, in strict handling."""
    strict = {"prefer": "handling=strict", "content-type": JSON}
    return Case(title, PUSH.method, PUSH.path, answer, dossier(**changes), strict, place)


def bundle(title: str, answer: Answer, place: str | None, *entries: Any, **more: Any) -> Case:
    """Give a case at the door of transactions."""
    body = transaction(*entries) | more
    return Case(title, BUNDLE.method, BUNDLE.path, answer, body, place=place)


def identity(**changes: Any) -> dict[str, Any]:
    """Give the person of a dossier with changes of its identity."""
    person = deepcopy(dossier()["person"])
    person["identity"] |= changes
    return {"person": person}


STRICT = {"prefer": "handling=strict"}


def search(title: str, query: str, answer: Answer, place: str | None = None) -> Case:
    """Give a case at the door of searches."""
    return Case(title, "GET", f"/fhir/Patient?{query}", answer, headers=STRICT, place=place)
