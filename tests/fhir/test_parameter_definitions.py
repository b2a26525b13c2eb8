"""The table of parameters beside the published definitions and a whole FHIRPath engine.

https://hl7.org/fhir/R4/searchparameter.html . What the table says of a parameter is what its
definition says, but for what ``tools/compile_search_parameters.py`` corrects, each with its reason;
and the compiled expressions give the nodes that the engine gives, composites included, over
resources made of every element of every type.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from passerelle.fhir.search.expressions import compile_expression, compile_within
from passerelle.fhir.search.search_parameters import (
    ANY,
    TYPES_WITH_PARAMETERS,
    Parameter,
    indexed,
)
from tests.fhir.test_parameter_corpus import examples, ours, spelled, theirs
from tests.oracle.nodes import Nodes
from tests.oracle.world import Maker
from tools.compile_search_parameters import (
    ANY_TARGET_SIZE,
    CORRECTED,
    LEFT_OUT,
    NO_PARAMETERS,
    SWAPPED,
    TARGETS,
    definitions,
)

Resource = dict[str, Any]
Definition = dict[str, Any]

NEVER_LEADS = 0.05
"""The share of the parameters of R4 that may lead nowhere in all that is made and published."""


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[tuple[str, str], Definition]:
    """The definitions by type and code, the one of the table where there are several."""
    found: dict[tuple[str, str], Definition] = {}
    for one in definitions(shared / "data/packages"):
        if one.get("code") in LEFT_OUT or one["id"] in NO_PARAMETERS:
            continue
        for type in one.get("base", ()):
            found.setdefault((type, one["code"]), one)
    return found


def every() -> Iterator[Parameter]:
    """Give all parameters of the table, each once."""
    yield from indexed(ANY).values()
    for type in sorted(TYPES_WITH_PARAMETERS):
        yield from (each for each in indexed(type).values() if each.type == type)


def test_the_table_says_what_the_definitions_say(
    published: dict[tuple[str, str], Definition],
) -> None:
    table = {(each.type, each.code): each for each in every()}
    assert table.keys() == published.keys()
    urls = {one["url"]: one for one in published.values()}
    for pair, parameter in table.items():
        one = published[pair]
        assert (parameter.kind, parameter.url) == (one["type"], one["url"]), pair
        if parameter.kind == "reference" and pair not in TARGETS:
            wanted = one.get("target", [])
            wanted = [ANY] if not 0 < len(wanted) <= ANY_TARGET_SIZE else wanted
            assert sorted(parameter.targets) == sorted(wanted), pair
        if parameter.kind == "composite":
            parts = [part["expression"] for part in one["component"]]
            assert [part.expression for part in parameter.components] == parts, pair
            kinds = [urls[part["definition"].split("|")[0]]["type"] for part in one["component"]]
            if pair not in SWAPPED:
                assert [part.kind for part in parameter.components] == kinds, pair


def made(seed: int, each: int) -> Iterator[Resource]:
    """Make resources of every type that has parameters."""
    random = Random(seed)
    types = tuple(sorted(TYPES_WITH_PARAMETERS))
    maker = Maker(random, types, fullness=0.35)
    for type in types:
        yield from (maker.resource(type, number) for number in range(each))


def differs(resource: Resource, parameter: Parameter) -> bool:
    """Tell whether the compiled expression gives other nodes than the engine."""
    type = resource["resourceType"]
    if parameter.kind == "composite":
        return parts_of(resource, parameter) != [
            [spelled(nodes) for nodes in element]
            for element in Nodes().components(parameter, resource)
        ]
    expression = parameter.expression
    if parameter.type == ANY:
        # The engine does not know of every type that it is a Resource.
        plain = expression.removeprefix("Resource.")
        return spelled(ours(type, expression, resource)) != spelled(theirs(plain, resource))
    return spelled(ours(type, expression, resource)) != spelled(theirs(expression, resource))


def parts_of(resource: Resource, parameter: Parameter) -> list[list[list[str]]]:
    """Give the compiled nodes of each component, of each element of a composite."""
    type, found = resource["resourceType"], []
    for path in compile_expression(type, parameter.expression):
        value = resource.get(path.first) if path.first else resource
        elements = [] if value is None else value if isinstance(value, list) else [value]
        for step in path.steps:
            elements = step(elements)
        ends = tuple(name for name, _ in path.types)
        for element in elements:
            found.append([_within(ends, part.expression, element, resource, type)
                          for part in parameter.components])  # fmt: skip
    return found


def _within(
    ends: tuple[str, ...], expression: str, element: Any, resource: Resource, type: str
) -> list[str]:
    nodes: list[Any] = []
    for way in compile_within(ends, expression, type):
        focus = resource if way.of_resource else element
        value = focus.get(way.first) if way.first else focus
        reached = [] if value is None else value if isinstance(value, list) else [value]
        for step in way.steps:
            reached = step(reached)
        nodes += [node for node in reached if node is not None]
    return spelled(nodes)


def compare_made(seed: int, each: int, led: Counter[tuple[str, str]]) -> list[str]:
    """Compare all expressions on made resources; give what differs."""
    wrong = []
    for resource in made(seed, each):
        type = resource["resourceType"]
        for code, parameter in indexed(type).items():
            if differs(resource, parameter):
                wrong.append(f"{type} {code} {json.dumps(resource, ensure_ascii=False)[:600]}")
            led[parameter.type, code] += bool(ours(type, parameter.expression, resource))
    return wrong


def test_the_compiled_expressions_are_those_of_an_engine_on_every_element() -> None:
    wrong = compare_made(1, 2, Counter())
    assert not wrong, "\n".join(wrong[:10])


@pytest.mark.nightly
def test_the_compiled_expressions_are_those_of_an_engine_on_many_resources() -> None:
    led: Counter[tuple[str, str]] = Counter()
    wrong = [line for seed in range(12) for line in compare_made(seed, 5, led)]
    silent = sorted(f"{type}.{code}" for (type, code), number in led.items() if not number)
    print(f"\n{len(led)} parameters, {sum(led.values())} pairs that lead somewhere")
    print(f"{len(silent)} lead nowhere: {', '.join(silent)}")
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:10])
    assert len(silent) < NEVER_LEADS * len(led)


def compare_definitions(
    published: dict[tuple[str, str], Definition], shared: Path, each: int, limit: int
) -> tuple[int, list[str]]:
    """Compare the expressions of the table with the published ones, both by the engine."""
    seen, wrong = 0, []
    for number, (name, content) in enumerate(examples(shared, limit)):
        resource = json.loads(content)
        type = resource.get("resourceType")
        if number % each or type not in TYPES_WITH_PARAMETERS:
            continue
        for code, parameter in indexed(type).items():
            if parameter.type == ANY or (type, code) in CORRECTED:
                continue
            seen += 1
            whole = published[type, code]["expression"]
            if spelled(theirs(parameter.expression, resource)) != spelled(theirs(whole, resource)):
                wrong.append(f"{name} {code}: {whole}")
    return seen, wrong


def test_the_expressions_of_the_table_mean_what_the_definitions_mean(
    published: dict[tuple[str, str], Definition], shared: Path
) -> None:
    seen, wrong = compare_definitions(published, shared, 12, 20_000)
    assert not wrong, "\n".join(wrong[:10])
    assert seen > 300


@pytest.mark.nightly
def test_all_expressions_of_the_table_mean_what_the_definitions_mean(
    published: dict[tuple[str, str], Definition], shared: Path
) -> None:
    seen, wrong = compare_definitions(published, shared, 1, 1 << 30)
    print(f"\n{seen} pairs of an example and a parameter")
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:10])
