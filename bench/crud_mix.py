"""The CRUD mix: nine resources of nine types created, read, updated and deleted by each user.

The mix of https://github.com/HealthSamurai/fhir-server-performance-benchmark (``k6/crud.js``):
create nine, read nine, update nine, delete nine, over and over. What refers to others is deleted
before them. Pure.
"""

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from bench import patients
from bench.http_messages import Answer, request
from bench.patients import Resource, json_bytes

Ids = dict[str, str]
SNOMED = "http://snomed.info/sct"
CLAIM_TYPE = "http://terminology.hl7.org/CodeSystem/claim-type"
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")


def _patient(number: int, ids: Ids) -> Resource:
    return patients.patient(number)


def _location(number: int, ids: Ids) -> Resource:
    return {
        "resourceType": "Location",
        "status": "active",
        "name": f"Chambre {number}",
        "address": {"city": "Albi", "postalCode": "81000"},
    }


def _organization(number: int, ids: Ids) -> Resource:
    system = "urn:oid:1.2.250.1.71.4.2.2"
    return {
        "resourceType": "Organization",
        "identifier": [{"system": system, "value": f"98{number:07d}"}],
        "name": f"Clinique d'exemple {number}",
    }


def _practitioner(number: int, ids: Ids) -> Resource:
    system = "urn:oid:1.2.250.1.71.4.2.1"
    return {
        "resourceType": "Practitioner",
        "identifier": [{"system": system, "value": f"98{number:09d}"}],
        "name": [{"family": f"Exemple-{number}", "given": ["Luc"]}],
    }


def _link(type_: str, ids: Ids) -> Resource:
    return {"reference": f"{type_}/{ids[type_]}"}


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _encounter(number: int, ids: Ids) -> Resource:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": _link("Patient", ids),
        "participant": [{"individual": _link("Practitioner", ids)}],
        "location": [{"location": _link("Location", ids)}],
        "period": {"start": "2026-03-02T09:00:00+01:00", "end": "2026-03-02T09:20:00+01:00"},
        "serviceProvider": _link("Organization", ids),
    }


def _observation(number: int, ids: Ids) -> Resource:
    kilograms = {"system": "http://unitsofmeasure.org", "code": "kg", "unit": "kg"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": _coded("http://loinc.org", "29463-7"),
        "subject": _link("Patient", ids),
        "encounter": _link("Encounter", ids),
        "effectiveDateTime": "2026-03-02T09:05:00+01:00",
        "valueQuantity": kilograms | {"value": 45 + number % 60},
    }


def _medication_request(number: int, ids: Ids) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _coded(SNOMED, "387517004"),
        "subject": _link("Patient", ids),
        "encounter": _link("Encounter", ids),
        "authoredOn": "2026-03-02T09:10:00+01:00",
        "requester": _link("Practitioner", ids),
    }


def _bill(type_: str, number: int, ids: Ids) -> Resource:
    item = {"sequence": 1, "productOrService": _coded(SNOMED, "185349003")}
    return {
        "resourceType": type_,
        "status": "active",
        "type": _coded(CLAIM_TYPE, "professional"),
        "use": "claim",
        "patient": _link("Patient", ids),
        "created": "2026-03-02",
        "provider": _link("Practitioner", ids),
        "insurance": [
            {"coverage": {"display": "régime général"}, "focal": True}
            | ({"sequence": 1} if type_ == "Claim" else {})
        ],
        "item": [item],
    }


def _claim(number: int, ids: Ids) -> Resource:
    return _bill("Claim", number, ids) | {
        "priority": _coded("http://terminology.hl7.org/CodeSystem/processpriority", "normal")
    }


def _explanation(number: int, ids: Ids) -> Resource:
    return _bill("ExplanationOfBenefit", number, ids) | {
        "insurer": _link("Organization", ids),
        "outcome": "complete",
    }


MAKERS: dict[str, Callable[[int, Ids], Resource]] = {
    "Patient": _patient,
    "Location": _location,
    "Organization": _organization,
    "Practitioner": _practitioner,
    "Encounter": _encounter,
    "Observation": _observation,
    "MedicationRequest": _medication_request,
    "Claim": _claim,
    "ExplanationOfBenefit": _explanation,
}
"""The nine types, each after those that it refers to."""


class MixPlan(NamedTuple):
    """Where the mix goes (``path`` of the FHIR base) and of which types it is."""

    path: str
    types: tuple[str, ...] = tuple(MAKERS)


def created_id(type_: str, answer: Answer) -> str | None:
    """Give the id of what an answer says was created: of its address, else of its body."""
    parts = (answer.location or "").split("/")
    if type_ in parts[:-1] and ID.match(found := parts[parts.index(type_) + 1]):
        return found
    try:
        said = json.loads(answer.body).get("id")
    except (ValueError, AttributeError):
        return None
    return said if isinstance(said, str) and ID.match(said) else None


class Round:
    """One round of one user: what to ask next follows from what was answered.

    A resource that could not be created is left out of the rest, with those that refer to it.
    """

    def __init__(self, plan: MixPlan, number: int) -> None:
        self._plan = plan
        self._number = number
        self._ids: Ids = {}
        self._steps = iter(
            [("POST", type_) for type_ in plan.types]
            + [("GET", type_) for type_ in plan.types]
            + [("PUT", type_) for type_ in plan.types]
            + [("DELETE", type_) for type_ in reversed(plan.types)]
        )
        self._step = ("", "")

    def next_request(self) -> bytes | None:
        """Give the next request of the round; None at its end."""
        for method, type_ in self._steps:
            self._step = method, type_
            made = self._request(method, type_)
            if made is not None:
                return made
        return None

    def answered(self, answer: Answer) -> None:
        """Take the answer to the last one."""
        method, type_ = self._step
        if method == "POST" and 200 <= answer.status < 300:
            id_ = created_id(type_, answer)
            if id_ is not None:
                self._ids[type_] = id_

    def _request(self, method: str, type_: str) -> bytes | None:
        place = f"{self._plan.path}/{type_}"
        try:
            if method != "POST":
                place = f"{place}/{self._ids[type_]}"
            if method in ("GET", "DELETE"):
                return request(method, place)
            made = MAKERS[type_](self._number, self._ids)
        except KeyError:  # of what could not be created
            return None
        if method == "PUT":
            made |= {"id": self._ids[type_], "language": "fr"}
        return request(method, place, json_bytes(made))
