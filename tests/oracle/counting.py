"""What a long run must have asked, so that no kind of search is left out unseen."""

from collections import Counter
from collections.abc import Sequence

from tests.oracle.criteria import Asked
from tests.oracle.filtered import OPERATORS

_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_MODIFIED: dict[str, tuple[str, ...]] = {
    "token": (*("", "not", "missing", "text", "in", "not-in", "above", "below", "of-type"),),
    "string": ("", "exact", "contains", "missing"),
    "reference": ("", "Type", "identifier", "missing"),
    "uri": ("", "above", "below", "missing"),
    "date": (*_PREFIXES, "missing"),
    "number": (*_PREFIXES, "missing"),
    "quantity": (*_PREFIXES, "missing"),
    "composite": ("", "missing"),
    "special": ("", "missing"),
}
"""By kind: modifiers, or prefixes. https://hl7.org/fhir/R4/search.html#modifiers"""

_LINKED = (*_MODIFIED, "chain", "_has")

NEEDED: tuple[str, ...] = (
    *(f"{kind}:{name}".rstrip(":") for kind, names in _MODIFIED.items() for name in names),
    *("_id", "_lastUpdated", "_profile", "_tag", "_security", "_source", "_list"),
    *("several values", "marks escaped"),
    *(f"token as {form}" for form in ("code", "system|code", "|code", "system|")),
    *(f"quantity as number{unit}" for unit in ("", "||code", "|system|code")),
    *(f"reference as {form}" for form in ("id", "Type/id", "address")),
    *(f"near in {unit}" for unit in ("km", "m", "[mi_i]", "no unit")),
    *(f"composite of token${kind}" for kind in ("token", "quantity", "date", "reference")),
    *("composite of token$string", "composite of token$number$number", "composite:missing"),
    *(f"{link}>{kind}" for link in ("chain", "_has") for kind in _LINKED),
    *(f"_filter {name}" for name in ("and", "or", "not", "path", "path[…]")),
    *(f"_filter {kind} {operator}" for kind, names in OPERATORS.items() for operator in names),
)
"""Each must have held of some resources of its type and not of others, or of all, once at least."""

NEEDED_ORDERS: tuple[str, ...] = (
    *(f"_sort by {kind}" for kind in ("token", "string", "reference", "date", "number")),
    *("_sort by quantity", "_sort by uri", "_sort by _id", "_sort by _lastUpdated"),
    *("_sort descending", "_sort ascending", "_sort with missing values"),
    *(f"_sort on {n}" for n in (1, 2, 3)),
    *("pages of 2", "pages of 50", "pages while others write"),
)
"""Each must have been asked, and have given something to put in order."""


def missing(counted: Counter[str]) -> list[str]:
    """Give what a run has never asked, or never asked so that something was found."""
    found = [
        f"{name} (drawn {counted[f'{name} none']} times, found nothing)"
        for name in NEEDED
        if not counted[f"{name} some"] + counted[f"{name} all"]
    ]
    return found + [name for name in NEEDED_ORDERS if not counted[name]]


def count(counted: Counter[str], asked: Asked, held: Sequence[int], of: int) -> None:
    """Count one search: how many of the ``of`` resources of its type each criterion holds of."""
    for criterion, number in zip(asked.criteria, held, strict=True):
        share = "none" if not number else "all" if number == of else "some"
        for label in criterion.labels:
            counted[f"{label} {share}"] += 1


def report(counted: Counter[str]) -> str:
    """Spell what was counted as a table."""
    labels = sorted({key.rpartition(" ")[0] for key in counted if key.endswith(_SHARES)})
    lines = [f"{'criterion':34}{'none':>7}{'some':>7}{'all':>7}"]
    for label in labels:
        numbers = "".join(f"{counted[label + share]:7}" for share in _SHARES)
        lines.append(f"{label:34}{numbers}")
    rest = sorted(key for key in counted if not key.endswith(_SHARES))
    return "\n".join([*lines, *(f"{key:34}{counted[key]:7}" for key in rest)])


_SHARES = (" none", " some", " all")
