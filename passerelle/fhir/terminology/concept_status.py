"""Whether a concept is still in use, when it ended, and what took its place.

The French nomenclatures date the end of a code (``dateFin``; the terminologies server adds
``deprecationDate`` and ``status``); HL7's say ``status``, ``inactive``, ``deprecated``,
``retirementDate`` (https://hl7.org/fhir/R4/codesystem-concept-properties.html) and name the
successor (http://hl7.org/fhir/StructureDefinition/codesystem-replacedby).
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.search.date_interval import interval

ENDS = ("dateFin", "retirementDate", "deprecationDate", "deprecated", "inactivationDate")
"""Properties that hold the instant from which a code is not to be used any more, surest first."""

INACTIVE = frozenset({"inactive", "retired", "withdrawn", "obsolete", "R"})
"""Values of ``status`` that end a code without a date; ``R`` is that of the HL7 v2 tables."""

ABSTRACT = frozenset({"notSelectable", "abstract"})
REPLACED_BY = "http://hl7.org/fhir/StructureDefinition/codesystem-replacedby"
SUCCESSORS = frozenset(
    {"replacedBy", "replaced-by", "successor", "remplacePar", "codeRemplacement"}
)


class Coded(NamedTuple):
    """A code of a system, with the display that was given."""

    system: str
    code: str
    display: str | None = None


class ConceptStatus(NamedTuple):
    """``inactive``: without regard to dates. ``ended``: as written. ``successors``: what to use."""

    inactive: bool = False
    abstract: bool = False
    ended: str | None = None
    ended_at: int | None = None  # microseconds since 1970 UTC
    successors: tuple[Coded, ...] = ()
    status: str | None = None

    def is_over(self, moment: int) -> bool:
        """Tell whether the code is not to be used at a moment (microseconds since 1970 UTC)."""
        return self.inactive or (self.ended_at is not None and self.ended_at <= moment)


ACTIVE = ConceptStatus()


def status_of(
    concept: Resource, properties: Sequence[tuple[str, Any]], system: str
) -> ConceptStatus:
    """Read the status from the properties (code, value) and the extensions of a concept."""
    successors = tuple(_successors(concept, properties, system))
    if not properties and not successors:
        return ACTIVE
    said = dict(reversed(properties))
    ended, ended_at = _end(said)
    status = said.get("status")
    return ConceptStatus(
        inactive=said.get("inactive") in (True, "true") or status in INACTIVE,
        abstract=any(said.get(name) in (True, "true") for name in ABSTRACT),
        ended=ended,
        ended_at=ended_at,
        successors=successors,
        status=status if isinstance(status, str) else None,
    )


def _end(said: dict[str, Any]) -> tuple[str | None, int | None]:
    """Give the end as written and as an instant; a day ends with itself."""
    for name in ENDS:
        value = said.get(name)
        found = interval(value) if isinstance(value, str) and "-" in value else None
        if found is not None:
            return str(value), found.low if "T" in str(value) else found.high
    return None, None


def _successors(
    concept: Resource, properties: Iterable[tuple[str, Any]], system: str
) -> Iterable[Coded]:
    for extension in concept.get("extension", ()):
        if extension.get("url") == REPLACED_BY:
            value = extension.get("valueCoding") or extension.get("valueCode")
            yield from _coded(value, system)
    for name, value in properties:
        if name in SUCCESSORS:
            yield from _coded(value, system)


def _coded(value: object, system: str) -> Iterable[Coded]:
    if isinstance(value, str):
        yield Coded(system, value)
    elif isinstance(value, dict) and isinstance(value.get("code"), str):
        yield Coded(value.get("system") or system, value["code"], value.get("display"))
