"""What the R4B models of fhir.resources say of a resource, where they disagree with our own check.

https://pypi.org/project/fhir.resources/ . They are R4B (https://hl7.org/fhir/R4B/diff.html), not R4
4.0.1: a disagreement is a reason to look, never a refusal. Our own check
(:mod:`passerelle.fhir.conformance.structure`) decides.
"""

from collections.abc import Collection

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource

FAULTS_MAX = 50


def disagreements(resource: Resource, refused: Collection[str]) -> list[Issue]:
    """Give where the R4B model disagrees with a check that refused at the expressions given.

    What it refuses and the check does not is named at its place; a resource that only the check
    refuses is said once, at the resource. No value of the resource is told.
    """
    type_ = str(resource.get("resourceType"))
    places = _refused_by_r4b(type_, resource)
    if places is None:
        return [issue("structure.r4b-no-model", type_)]
    if refused and not places:
        return [issue("structure.r4b-accepts", type_)]
    alone = [place for place in places if place not in refused]
    return [issue("structure.r4b-refuses", place) for place in alone[:FAULTS_MAX]]


def _refused_by_r4b(type_: str, resource: Resource) -> list[str] | None:
    """Give the places that the R4B model refuses; None when it has no such type."""
    try:
        model = get_fhir_model_class(type_)
    except (KeyError, LookupError, ValueError):
        return None
    try:
        model.model_validate_json(json_text.encode(resource))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return list(dict.fromkeys(_place(type_, fault["loc"]) for fault in faults))
    return []


def _place(type_: str, location: tuple[int | str, ...]) -> str:
    """Give a location of pydantic as a FHIRPath expression."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return type_ + "".join(parts)
