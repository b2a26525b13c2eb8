"""Refusals of a transaction: every issue at its place in the Bundle, in the order of the entries.

https://hl7.org/fhir/R4/http.html#transaction-response , places as FHIRPath
(https://hl7.org/fhir/R4/operationoutcome-definitions.html#OperationOutcome.issue.expression).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from passerelle.errors.refusals import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    Issue,
    NotAllowed,
    NotFound,
    NotSupported,
    PasserelleError,
    PreconditionFailed,
    Unprocessable,
)
from passerelle.fhir.bundles.transaction_plan import FAULTS_MAX, bounded_faults

TOGETHER: dict[str, type[PasserelleError]] = {
    "record.version-conflict": PreconditionFailed,
    "record.too-many-match": PreconditionFailed,
    "record.not-found": NotFound,
    "record.none-match": NotFound,
    "record.deleted": Gone,
    "record.ids-are-given": NotAllowed,
    "document.metadata-only": NotAllowed,
    "record.conditional-delete-off": NotSupported,
    "package.read-only": Forbidden,
    "package.tag-reserved": Unprocessable,
    "reference.still-referred": Conflict,
    "reference.cascade-too-large": Conflict,
}
"""The refusal that a fault alone would meet outside of a bundle."""

FAMILIES: dict[str, type[PasserelleError]] = {
    "document": Unprocessable,
    "ins": Unprocessable,
    "patch": Unprocessable,
    "reference": Unprocessable,
}
"""The same by the first word of a rule."""

WRITE = re.compile(r"writes\[([0-9]+)\]")
"""How the commit names one of several writes."""

PARTS = {
    "record.identifier-taken": "resource.identifier",
    "record.version-conflict": "request.ifMatch",
    "record.there-already": "request.ifNoneMatch",
}
"""What of an entry a refusal of the commit is about, by its rule; else the request."""


def place_of(index: int) -> str:
    """Spell the place of an entry."""
    return f"Bundle.entry[{index}]"


def placed(said: Issue, place: str) -> Issue:
    """Give an issue of a resource with its expression inside the bundle."""
    tail = (said.expression or "").partition(".")[2]
    return replace(said, expression=f"{place}.{tail}" if tail else place)


def refusal_of(faults: Iterable[tuple[int, Issue]]) -> PasserelleError:
    """Make the refusal of (entry, fault) pairs, which are told in the order of the entries.

    PreconditionFailed when several match a condition, else the class that all are of in
    ``TOGETHER``, else Invalid.
    """
    told = [said for _, said in sorted(faults, key=lambda pair: pair[0])]
    rules = {said.rule for said in told}
    bounded = bounded_faults(told)
    if "record.several-match" in rules:
        return PreconditionFailed(*bounded)
    classes = {_class_of(rule) for rule in rules}
    return classes.pop()(*bounded) if len(classes) == 1 else Invalid(*bounded)


def _class_of(rule: str) -> type[PasserelleError]:
    return TOGETHER.get(rule) or FAMILIES.get(rule.partition(".")[0]) or Invalid


def of_commit(
    refusal: Conflict | NotAllowed | PreconditionFailed, entries: Sequence[int]
) -> Conflict | NotAllowed | PreconditionFailed:
    """Give the refusal of a commit with the places of the bundle instead of those of the unit.

    ``entries`` are the indexes of the entries whose writes the unit was made of, in its order.
    """
    found: list[tuple[int, Issue]] = []
    for said in refusal.issues:
        number = WRITE.fullmatch(said.expression or "")
        index = entries[int(number[1]) if number else 0]
        place = f"{place_of(index)}.{PARTS.get(said.rule, 'request')}"
        found.append((index, replace(said, expression=place)))
    found.sort(key=lambda pair: pair[0])
    return type(refusal)(*(said for _, said in found[:FAULTS_MAX]))
