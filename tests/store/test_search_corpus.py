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
from passerelle.fhir.search.search_parameters import Parameter, parameters
from tests.fhir.test_parameter_corpus import examples
from tests.oracle.intervals import span
from tests.oracle.nodes import Nodes
from tests.oracle.said import codes, folded, literal_of, strings
from tests.store.search_records import Record, fill, find, record

__all__ = ["record"]

Resource = dict[str, Any]
BATCH = 60
SAMPLE_EACH = 20
BYTES_MAX = 20_000
TEXT_MAX = 80
OF_THE_ROW = ("_id", "_lastUpdated")


def escaped(text: str) -> str:
    for mark in "\\,|$":
        text = text.replace(mark, "\\" + mark)
    return text


def token(node: Any) -> str | None:
    for found in codes(node, None):
        code = escaped(found.code)
        return f"{escaped(found.system)}|{code}" if found.system else code
    return None


def string(node: Any) -> str | None:
    texts = [text for text in strings(node) if folded(text[:TEXT_MAX])]
    return escaped(" ".join(texts[0][:TEXT_MAX].split())) if texts else None


def reference(node: Any) -> str | None:
    literal = literal_of(node)
    if literal is None or literal.startswith("#") or ("/" not in literal and ":" not in literal):
        return None
    return escaped(literal)


def date(node: Any) -> str | None:
    if span(node) is None:
        return None
    if isinstance(node, str):
        return node
    repeat = node.get("repeat", {}).get("boundsPeriod", {})
    return "ap" + str((node.get("event") or [None])[0] or {**node, **repeat}.get("start")
                      or {**node, **repeat}.get("end"))  # fmt: skip


def number(node: Any) -> str | None:
    if isinstance(node, dict):
        return None
    return str(node)


def quantity(node: Any) -> str | None:
    if not isinstance(node, dict) or "origin" in node:
        return None
    held = node.get("low") or node.get("high") or node
    if "value" not in held or "e" in str(held["value"]).lower():
        return None
    prefix = "le" if "low" in node else "ge" if "high" in node else ""
    if held.get("system") and held.get("code"):
        unit = f"{escaped(held['system'])}|{escaped(held['code'])}"
        return f"{prefix}{held['value']}|{unit}"
    return f"{prefix}{held['value']}"


def uri(node: Any) -> str | None:
    return escaped(node) if isinstance(node, str) else None


def special(node: Any) -> str | None:
    return f"{node['latitude']}|{node['longitude']}|1|km" if "latitude" in node else None


SPELLED = {
    **{"token": token, "string": string, "reference": reference, "date": date},
    **{"number": number, "quantity": quantity, "uri": uri, "special": special},
}


def first(kind: str, nodes: list[Any]) -> str | None:
    return next((text for node in nodes if (text := SPELLED[kind](node))), None)


def asked(known: Nodes, parameter: Parameter, resource: Resource) -> str | None:
    """Spell a search for a value that a resource has of a parameter."""
    kind: str = parameter.kind
    if kind != "composite":
        return first(kind, known.of(parameter, resource))
    for element in known.components(parameter, resource):
        parts = [
            first(component.kind, nodes)
            for component, nodes in zip(parameter.components, element, strict=True)
        ]
        if all(parts):
            return "$".join(str(part) for part in parts)
    return None


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
