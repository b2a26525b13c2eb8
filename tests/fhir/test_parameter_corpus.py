"""Every expression of the table, over every example at hand, beside a whole FHIRPath engine.

The engine (fhirpathpy) is asked for what the expression means where it cannot take the words of R4:

- ``as`` on several nodes keeps those of the type, as ``ofType`` does: so the expressions of R4 mean
  it, though http://hl7.org/fhirpath/N1/#as-type-specifier wants one node on the left.
- ``resolve() is T`` is told from the reference itself: a search index sees one resource at a time
  (https://hl7.org/fhir/R4/search.html#reference). An identifier without a type may lead to any.
- ``hasExtension(url)`` is ``extension(url).exists()`` (https://hl7.org/fhir/R4/fhirpath.html).
"""

import json
import re
import tarfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from passerelle.fhir import json_text
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.references import target_type
from passerelle.fhir.search.expressions import compile_expression
from passerelle.fhir.search.extraction import KEPT_APART, extract
from passerelle.fhir.search.index_rows import IndexRows
from passerelle.fhir.search.search_parameters import ANY, Parameter, indexed

BYTES_MAX = 40_000
"""Larger examples are left to the nightly run."""

RESOLVES = re.compile(r"\.where\(resolve\(\) is (?P<type>\w+)\)")
REWRITTEN = (
    (re.compile(r"\((?P<path>[\w.]+) as (?P<type>\w+)\)"), r"\g<path>.ofType(\g<type>)"),
    (re.compile(r"\.as\((?P<type>\w+)\)"), r".ofType(\g<type>)"),
    (re.compile(r"hasExtension\((?P<url>'[^']*')\)"), r"extension(\g<url>).exists()"),
)
SILENT_KINDS = {"special", "composite"}
"""Kinds that need more than a node to have a row."""

Engine = list[tuple[Callable[[Any], list[Any]], str | None]]


def examples(shared: Path, limit: int) -> Iterator[tuple[str, bytes]]:
    """Give the examples of R4 and of the packages."""
    archives = sorted((shared / "data/packages").glob("*.tgz"))
    archives = [path for path in archives if not path.name.startswith("hl7.fhir.r4")]
    for path in (*sorted((shared / "data/r4-examples").glob("*.tgz")), *archives):
        with tarfile.open(path) as archive:
            for member in archive:
                if not member.name.endswith(".json") or member.size > limit:
                    continue
                file = archive.extractfile(member)
                assert file is not None
                yield f"{path.name}:{member.name}", file.read()


@cache
def engine(expression: str) -> Engine:
    """Give the alternatives of an expression to the engine, and the types they must resolve to."""
    found: Engine = []
    for part in expression.split(" | "):
        resolves = RESOLVES.search(part)
        for pattern, written in REWRITTEN:
            part = pattern.sub(written, part)
        part = RESOLVES.sub("", part)
        wanted = resolves["type"] if resolves else None
        evaluate: Any = fhirpathpy.compile(part, models["r4"])
        found.append((evaluate, wanted))
    return found


def theirs(expression: str, resource: dict[str, Any]) -> list[Any]:
    return [
        node
        for evaluate, wanted in engine(expression)
        for node in evaluate(resource)
        if wanted is None or (isinstance(node, dict) and may_lead(node, wanted))
    ]


def may_lead(node: dict[str, Any], wanted: str) -> bool:
    """Tell whether a Reference may lead to a type: what is an identifier only leads to any."""
    if target_type(node) is None and "reference" not in node:
        return "identifier" in node
    return target_type(node) == wanted


def ours(type_: str, expression: str, resource: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for path in compile_expression(type_, expression):
        value = resource.get(path.first) if path.first else resource
        nodes = [] if value is None else value if isinstance(value, list) else [value]
        for step in path.steps:
            nodes = step(nodes)
        found += [node for node in nodes if node is not None]
    return found


def plain(node: Any) -> Any:
    """Give what is compared: numbers as numbers, however each side writes them."""
    if isinstance(node, dict):
        return {name: plain(value) for name, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    try:
        return float(str(node))
    except ValueError:
        return str(node)


def spelled(nodes: list[Any]) -> list[str]:
    return sorted({json.dumps(plain(node), sort_keys=True) for node in nodes})


def rows_by_param(rows: IndexRows) -> set[int]:
    return {abs(row.param) for group in rows for row in group}


def has_a_value(node: Any, parameter: Parameter) -> bool:
    """Tell whether a node is sure to have a row: what has no code, value or date has none."""
    if parameter.kind in SILENT_KINDS or node is None:
        return False
    if isinstance(node, dict):
        wanted = {
            "token": ("code", "value"),
            "reference": (),
            "quantity": ("value",),
            "string": ("text", "family", "city"),
            "date": ("start", "end"),
        }
        return any(name in node for name in wanted.get(parameter.kind, ()))
    return parameter.kind not in ("reference", "string", "number") and node != ""


def compare(shared: Path, limit: int) -> tuple[int, int]:
    """Compare all; give how many resources and how many pairs that led somewhere."""
    seen = led = 0
    for name, content in examples(shared, limit):
        resource = json.loads(content)
        type_ = resource.get("resourceType")
        if type_ not in resource_types():
            continue  # what else a package holds
        indexed_params = rows_by_param(extract(json_text.decode(content)))
        seen += 1
        for code, parameter in indexed(type_).items():
            if parameter.type == ANY or code in KEPT_APART or parameter.kind == "composite":
                continue
            expected = theirs(parameter.expression, resource)
            found = ours(type_, parameter.expression, resource)
            assert spelled(found) == spelled(expected), (name, code)
            led += bool(expected)
            if any(has_a_value(node, parameter) for node in expected):
                assert parameter.id in indexed_params, (name, code)
    return seen, led


def test_the_compiled_expressions_are_those_of_a_whole_engine(shared: Path) -> None:
    seen, led = compare(shared, BYTES_MAX)
    assert seen > 500
    assert led > 2_000


@pytest.mark.nightly
def test_the_compiled_expressions_are_those_of_a_whole_engine_on_everything(shared: Path) -> None:
    seen, led = compare(shared, 1 << 30)
    print(f"{seen} resources, {led} pairs of a resource and a parameter that leads somewhere")
