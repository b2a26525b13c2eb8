"""Our check beside fhir.resources (R4B), on real examples spoiled at random.

Every disagreement is in one of the tables below, with the paragraph of the specification that
decides it: https://hl7.org/fhir/R4/ for R4 4.0.1, https://hl7.org/fhir/R4B/diff.html for what R4B
changed.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from passerelle.fhir.conformance.structure import check
from passerelle.fhir.json_places import located
from passerelle.fhir.json_text import decode, encode
from tests.fhir.mutations import MUTATIONS, mutated
from tests.fhir.test_structure_examples import json_files

R4 = "https://hl7.org/fhir/R4/"

OURS_ALONE = {
    "structure.empty": R4 + "json.html#null (no empty text, object or array)",
    "structure.null": R4 + "json.html#primitive (null only in an array, opposite a sibling)",
    "structure.misaligned": R4 + "json.html#primitive (arrays of the same length)",
    "structure.unknown-element": R4 + "json.html (no other member; xhtml has no sibling)",
    "structure.unknown-type": R4 + "json.html#resources (resourceType, first of all a type)",
    "structure.expected-array": R4 + "json.html#cardinality (an array also of one)",
    "structure.expected-single": R4 + "json.html#cardinality (no array where max is 1)",
    "structure.code": R4 + "terminologies.html#required",
    "structure.wrong-type": R4 + "json.html#primitive (a date is a string, a number no string)",
    "structure.bad-format": R4 + "datatypes.html#primitive (the regular expressions)",
    "structure.no-such-day": R4 + "datatypes.html#date (a day that exists)",
    "structure.out-of-range": R4 + "datatypes.html#integer (32 bits)",
    "structure.bad-base64": R4 + "datatypes.html#base64Binary",
    "structure.required": R4 + "conformance-rules.html#cardinality",
    "structure.choice": R4 + "formats.html#choice (one type only)",
    "structure.narrative-div": R4 + "narrative.html#xhtml (one div)",
    "structure.reference-target": R4 + "references.html#Reference (only the types of the element)",
    "structure.reference-type": R4 + "references-definitions.html#Reference.type",
    "structure.extension-url": R4 + "extensibility.html#Extension (absolute, relative in parts)",
    "structure.contained-id-twice": R4 + "references.html#contained (unique ids)",
}
"""Rules that R4B's models do not know, beside the invariants."""

INVARIANTS = R4 + "conformance-rules.html#constraints"

REDESIGNED = {
    "Evidence": "https://hl7.org/fhir/R4B/evidence.html (other elements than in R4)",
    "EvidenceVariable": "https://hl7.org/fhir/R4B/evidencevariable.html (other elements)",
    "ResearchElementDefinition": "https://hl7.org/fhir/R4B/researchelementdefinition.html",
    "SubstanceDefinition": "https://hl7.org/fhir/R4B/substancedefinition.html",
}
"""Types that R4B has changed so that R4 resources of them are no R4B resources."""

THEIRS_ALONE: dict[str, tuple[Callable[[ErrorDetails], bool], str]] = {
    "the sibling of an extension's value": (
        lambda fault: str(fault["loc"][-1]).startswith("_value"),
        R4 + "json.html#primitive (any primitive may have one; extensibility.html: any type)",
    ),
    "a choice that has only a sibling": (
        lambda fault: "Expect any of field value" in fault["msg"],
        R4 + "json.html#primitive (an element without a value may have extensions)",
    ),
}
"""Faults that R4B's models find and R4 does not know, however the resource is written."""

# Where R4B's models themselves fail on a value that is not of the right shape.
ERRORS_OF_THEIRS = (TypeError, AttributeError, KeyError, LookupError, ValueError, RecursionError)


@cache
def corpus(shared: Path, size_max: int) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Give the examples of R4 and of the French guides."""
    packages = sorted((shared / "data/packages").glob("*.fhir.fr.*.tgz"))
    archives = [(shared / "data/r4-examples/r4-examples-half.tgz", "package")]
    archives += [(package, "package/example") for package in packages]
    return tuple(
        (name, decode(body))
        for archive, folder in archives
        for name, body in json_files(archive, folder)
        if len(body) <= size_max
    )


def theirs(resource: dict[str, Any]) -> bool | None:
    """Tell whether R4B's model refuses a resource; None when it has no opinion."""
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(encode(resource))
    except ValidationError as refusal:
        faults = refusal.errors(include_url=False)
        known = [decided for decided, _ in THEIRS_ALONE.values()]
        return not all(any(decided(fault) for decided in known) for fault in faults)
    except ERRORS_OF_THEIRS:
        return None
    return False


def compare(resource: dict[str, Any]) -> str:
    """Give what the two opinions are; raises AssertionError where no table decides."""
    found = check(resource)
    for one in located(encode(resource), found):
        assert one.line == 1
        assert one.column
        assert one.expression
    refused = theirs(resource) if isinstance(resource.get("resourceType"), str) else None
    if refused is None:
        return "no opinion of theirs"
    if refused and not found:
        assert resource["resourceType"] in REDESIGNED
        return "only theirs refuses"
    if found and not refused:
        told = {one.rule for one in found if one.code != "invariant"}
        narrative = {"structure.txt-1", "structure.txt-2"}
        assert told - narrative <= set(OURS_ALONE), told - set(OURS_ALONE)
        return "only ours refuses"
    return "both refuse" if found else "both accept"


mutations = st.sampled_from(sorted(MUTATIONS))
seeds = st.integers(0, 2**32)


def spoiled(shared: Path, name: str, seed: int, size_max: int) -> dict[str, Any]:
    random = Random(seed)
    _, resource = random.choice(corpus(shared, size_max))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        resource = mutated(random, resource, name)
    return resource


@settings(max_examples=150, deadline=None)
@given(name=mutations, seed=seeds)
def test_two_opinions_differ_only_where_the_specification_decides(
    shared: Path, name: str, seed: int
) -> None:
    compare(spoiled(shared, name, seed, size_max=3_000))


@pytest.mark.nightly
def test_two_opinions_differ_only_where_the_specification_decides_at_length(shared: Path) -> None:
    counted: Counter[str] = Counter()
    for _, resource in corpus(shared, 10**7):
        counted["as published: " + compare(resource)] += 1

    @settings(max_examples=10_000, deadline=None)
    @given(name=mutations, seed=seeds)
    def compared(name: str, seed: int) -> None:
        counted[f"{name}: {compare(spoiled(shared, name, seed, size_max=50_000))}"] += 1

    compared()
    print()
    for what, count in sorted(counted.items()):
        print(f"{count:7} {what}")
    assert counted["as published: both accept"] > 300
