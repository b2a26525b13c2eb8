"""Mask the matricules that stand anywhere but in a Patient's own identifiers.

A contained Patient, a reference by identifier, a link to another Patient: none of these says that
the identity is qualified, so that the matricule may not leave with it (EXI ID 29,
https://esante.gouv.fr/sites/default/files/media/document/ANS_Guide-Implementation-INS_V3.0.pdf ).
A contained Patient that is qualified itself keeps its own. What is masked says so, as
https://hl7.org/fhir/R4/extension-data-absent-reason.html asks.
"""

from collections.abc import Iterable
from typing import Any

from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource
from passerelle.ins.elements import objects
from passerelle.ins.patient_identity import held_of
from passerelle.ins.withholding import narrative_of, tells, withheld_positions

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MASKED = {"extension": [{"url": ABSENT, "valueCode": "masked"}]}
SIGNS = (b"1.2.250.1.213.1.4.", b"INS-NI")
"""One of these is in every body that holds a matricule as such."""


def may_hold(parts: Iterable[bytes]) -> bool:
    """Tell from the bytes of a body whether :func:`mask` need look at it; most need not."""
    return any(sign in part for part in parts for sign in SIGNS)


def mask(resource: Resource) -> Resource:
    """Give the resource with every matricule masked that stands elsewhere than in its identifiers.

    A Patient's own identifiers are :func:`passerelle.ins.withholding.withhold`'s. A narrative that
    repeats a masked number goes with it. What came in is not changed, and given back itself when
    nothing but its own identifiers says that there is a matricule.
    """
    own = resource.get("identifier") if resource.get("resourceType") == "Patient" else None
    others = {name: value for name, value in resource.items() if value is not own}
    if own is not None and not may_hold((json_text.encode(others),)):
        return resource
    numbers: list[str | None] = []
    masked: Resource = _masked(others, numbers)
    if tells(narrative_of(masked), numbers):
        del masked["text"]
    return masked if own is None else {**masked, "identifier": own}


def _masked(value: Any, numbers: list[str | None]) -> Any:
    """Mask within a value; ``numbers`` takes what was masked."""
    if isinstance(value, list):
        return [_masked(entry, numbers) for entry in value]
    if not isinstance(value, dict):
        return value
    held = held_of(0, value)
    if held is not None:
        return _without_value(value, held.number, numbers)
    if value.get("resourceType") == "Patient":
        return _patient(value, numbers)
    return {name: _masked(inner, numbers) for name, inner in value.items()}


def _patient(patient: Resource, numbers: list[str | None]) -> Resource:
    """Mask within a contained Patient, which keeps a matricule that may leave with it."""
    hidden = withheld_positions(patient)
    kept = [
        _without_value(identifier, hidden[position], numbers) if position in hidden else identifier
        for position, identifier in objects(patient, "identifier")
    ]
    others = {name: value for name, value in patient.items() if name != "identifier"}
    made = {name: _masked(value, numbers) for name, value in others.items()}
    return {**made, "identifier": kept} if kept else made


def _without_value(
    identifier: Resource, number: str | None, numbers: list[str | None]
) -> dict[str, Any]:
    numbers.append(number)
    made = {name: inner for name, inner in identifier.items() if name not in ("value", "_value")}
    return {**made, "_value": MASKED}
