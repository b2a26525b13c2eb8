"""What a search asks of a resource, as understood: criteria and how they are joined.

https://hl7.org/fhir/R4/search.html
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.search.query_values import Value
from passerelle.fhir.search.search_parameters import Parameter


@dataclass(frozen=True, slots=True)
class Clause:
    """``name=text`` understood. The values are alternatives; clauses are joined by AND.

    ``modifier`` is empty or one of :mod:`modifiers`; a type modifier of a reference is in its
    values. A chained one has no values but, in ``chain``, the inner criterion for each type that
    the reference may lead to, of which one must hold. ``reverse``: `_has`, the inner criterion is
    on the resources that refer to this one by ``parameter``.
    """

    name: str
    text: str
    parameter: Parameter
    modifier: str = ""
    values: tuple[Value, ...] = ()
    chain: tuple[tuple[str, "Criterion"], ...] = ()
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Combined:
    """Several criteria: all of them (``and``), one of them (``or``), or the only one not."""

    name: str
    text: str
    operator: Literal["and", "or", "not"]
    parts: tuple["Criterion", ...]


@dataclass(frozen=True, slots=True)
class OfType:
    """The resource is of a type."""

    name: str
    text: str
    type: str


Criterion: TypeAlias = Clause | Combined | OfType


class Unknown(Exception):
    """The parameter does not exist for the type: refused or left out, as the caller prefers."""


class Refused(Exception):
    """A criterion that cannot be understood, with the issue to say."""

    def __init__(self, refusal: Issue) -> None:
        """Keep the issue."""
        super().__init__(refusal.rule)
        self.issue = refusal


def refuse(rule: str, name: str, **parts: object) -> Refused:
    """Make the refusal of a parameter by a rule whose texts name it."""
    return Refused(issue(rule, name, name=name, **parts))


def joined(
    name: str, text: str, operator: Literal["and", "or"], parts: tuple[Criterion, ...]
) -> Criterion:
    """Join criteria; a single one stands by itself."""
    return parts[0] if len(parts) == 1 else Combined(name, text, operator, parts)
