"""Every example of R4 and of the packages: kept, read back equal, found by all that it says.

For each parameter that leads to a value in an example, one search is made from that value; the
values are those of a whole FHIRPath engine (``tests/oracle``).
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.search.query import parse
from passerelle.fhir.search.search_parameters import parameters
from tests.fhir.test_parameter_corpus import examples
from tests.oracle.asked_of import asked
from tests.oracle.nodes import Nodes
from tests.store.search_records import Record, fill, find, record

__all__ = ["record"]

Resource = dict[str, Any]
BATCH = 60
SAMPLE_EACH = 20
BYTES_MAX = 20_000
OF_THE_ROW = ("_id", "_lastUpdated")


def check(record: Record, batch: list[Resource], counted: Counter[str]) -> list[str]:
    """Keep a batch and look for each of it; give what was not found."""
    fill(record, batch)
    known, lost = Nodes(), []
    for resource in batch:
        type, id = resource["resourceType"], resource["id"]
        counted["resources"] += 1
        kept = find(record, parse(type, [("_id", id)], strict=True)).matches[0]
        assert json.loads(bytes(kept.body or b"")) == resource
        for code, parameter in parameters(type).items():
            text = None if code in OF_THE_ROW else asked(known, parameter, resource)
            if text is None:
                continue
            counted[parameter.kind] += 1
            try:
                query = parse(type, [("_id", id), (code, text)], strict=True)
            except Invalid as refusal:
                lost.append(f"{type}?{code}={text[:90]} {refusal.issues[0].rule}")
                continue
            if not find(record, replace(query, count=2)).matches:
                lost.append(f"{type}?{code}={text[:120]}")
    return lost


def batches(shared: Path, each: int, limit: int) -> Iterator[list[Resource]]:
    """Give the examples, one in so many, under ids of their own."""

    def numbered() -> Iterator[Resource]:
        for number, (_, content) in enumerate(examples(shared, limit)):
            resource = json.loads(content) if number % each == 0 else {}
            if resource.get("resourceType") in resource_types():
                yield {**resource, "id": f"r{number}"}

    rest = numbered()
    while batch := list(islice(rest, BATCH)):
        yield batch


def test_an_example_is_read_back_and_found_by_all_that_it_says(
    record: Record, shared: Path
) -> None:
    counted: Counter[str] = Counter()
    lost = [
        line for b in batches(shared, SAMPLE_EACH, BYTES_MAX) for line in check(record, b, counted)
    ]
    assert not lost, "\n".join(lost[:20])
    assert counted["resources"] > 30
    assert counted["token"] > 100


@pytest.mark.nightly
def test_every_example_is_read_back_and_found_by_all_that_it_says(
    record: Record, shared: Path
) -> None:
    counted: Counter[str] = Counter()
    lost = [line for b in batches(shared, 1, 1 << 30) for line in check(record, b, counted)]
    print(f"\n{record.dialect}: {dict(counted)}")
    assert not lost, f"{len(lost)}\n" + "\n".join(lost[:40])
