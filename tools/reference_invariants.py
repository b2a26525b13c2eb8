"""The page of invariants: every invariant of R4 that is an error, and who decides it."""

from collections import Counter
from collections.abc import Iterator

from passerelle.fhir.conformance.invariants import COMPILED, CORRECTED, OPEN, Invariant, invariants
from tools.reference_markdown import code, codes, page, table

DECIDED = {
    COMPILED: "R4's own FHIRPath expression, compiled",
    "datatype_laws": "a function and a quick schema of the data type",
    "resource_laws": "a function of the resource type",
    "contained": "the check of contained resources and of `#` references",
    "narrative": "the reading of the narrative",
    "structure_walk": "the structure check itself",
    "structure_table": "the table of types: the element is not there",
}
"""What decides an invariant, by the name of its module."""


def write() -> str:
    """Write the page."""
    found = invariants()
    counted = Counter(one.decided_by for one in found)
    rows = [(code(name), str(counted[name]), what) for name, what in DECIDED.items()]
    return page(
        "Invariants",
        f"R4 4.0.1 has {len(found)} invariants of severity *error* in its resources and data "
        "types (`ElementDefinition.constraint`; the 34 warnings are not refused). All of them are "
        "checked at the door, for every resource that comes in.",
        "An invariant holds when its expression says *true*. An empty answer breaks it, but for "
        f"{codes(sorted(OPEN))}, where it means that nothing can be said.",
        "## Who decides",
        table(("By", "Invariants", "What it is"), rows),
        "## Corrected expressions",
        "These do not say what the text of the invariant means. What is run instead:",
        table(("Key", "Run instead", "Why"), _corrected(found)),
        "## Required bindings",
        "Codes of required value sets are checked against the expansions that HL7 publishes with "
        "R4; of a Coding or a CodeableConcept the code system too. Three value sets have no full "
        "expansion, and their codes are not checked: `mimetypes` (R4's own CapabilityStatements "
        "have `json` and `xml` there, which are no media types), `ucum-units` and LOINC's "
        "`LL379-9`. `$validate-code` judges media types and units by how they are built.",
        "## All of them",
        table(("Path", "Key", "Rule", "Decided by", "Expression of R4"), _rows(found)),
    )


def _corrected(found: tuple[Invariant, ...]) -> Iterator[tuple[str, ...]]:
    for one in found:
        if (one.path, one.key) in CORRECTED:
            expression, why = CORRECTED[one.path, one.key]
            yield code(one.key), code(expression), why


def _rows(found: tuple[Invariant, ...]) -> Iterator[tuple[str, ...]]:
    for one in found:
        rule = one.rule if one.decided_by != "structure_table" else "structure.unknown-element"
        yield (
            one.path,
            code(one.key),
            code(rule),
            code(one.decided_by),
            code(one.published),
        )
