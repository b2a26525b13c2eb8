"""What belongs to a patient, an encounter or an episode, as tables over the search parameters.

https://hl7.org/fhir/R4/patient-operation-everything.html ,
https://hl7.org/fhir/R4/encounter-operation-everything.html ,
https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from collections.abc import Mapping
from functools import cache

from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.search.language.compartments import compartment as listed_of
from passerelle.fhir.search.search_parameters import parameters

FOCUSES = ("Patient", "Encounter", "EpisodeOfCare")

ABOUT: Mapping[str, tuple[str, ...]] = {
    "Patient": ("patient", "subject"),
    "Encounter": ("encounter", "context"),
}
"""Codes of parameters that tell whom, or which encounter, a resource is about."""

CARE_DATES = (
    "date",
    "period",
    "occurrence",
    "effective",
    "effective-time",
    "effectivedate",
    "whenhandedover",
    "started",
    "authored-on",
    "authoredon",
    "authored",
    "sent",
    "onset-date",
    "recorded-date",
    "start-date",
    "service-date",
    "created",
    "issued",
)
"""Codes of date parameters that tell when care took place, the most telling first."""

_NOT_ALONG = frozenset({"Binary", "Bundle"})
"""Types that are not brought along: the bytes of a document are asked for by its address."""


@cache
def compartment(focus: str) -> tuple[int, ...]:
    """Give the ids of the reference parameters that put a resource with a Patient or Encounter.

    Those of the compartment, and those that say so by their name: R4 leaves ``Task.for`` out of
    the compartment of the patient. An EpisodeOfCare has no compartment: whatever parameter may
    lead to one counts.
    """
    listed = listed_of(focus)
    found: set[int] = set()
    for type_ in resource_types():
        codes = {*listed.get(type_, ()), *ABOUT.get(focus, ())}
        found.update(
            each.id
            for code, each in parameters(type_).items()
            if each.kind == "reference"
            and focus in (each.targets or (focus,))
            and (code in codes or focus not in ABOUT)
        )
    return tuple(sorted(found))


@cache
def compartment_types() -> tuple[str, ...]:
    """Give the types that belong to a patient."""
    types = {
        type_
        for type_ in resource_types()
        for each in parameters(type_).values()
        if each.kind == "reference" and each.code in ABOUT["Patient"] and "Patient" in each.targets
    }
    return tuple(sorted({"Patient", *types, *listed_of("Patient")}))


@cache
def shared_types() -> tuple[str, ...]:
    """Give the types that belong to no patient and are brought along where they are referred to.

    Professionals, organisations, places, medications … : never what is about somebody else.
    """
    return tuple(sorted(resource_types() - set(compartment_types()) - _NOT_ALONG))


@cache
def care_dates() -> tuple[int, ...]:
    """Give, of each type that has one, the parameter that tells when care took place."""
    found: set[int] = set()
    for type_ in resource_types():
        own = parameters(type_)
        named = next((own[c] for c in CARE_DATES if c in own and own[c].kind == "date"), None)
        if named is not None:
            found.add(named.id)
    return tuple(sorted(found))
