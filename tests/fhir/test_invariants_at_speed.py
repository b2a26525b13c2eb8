"""What is spared or shared when invariants are run changes nothing of what they say."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.fhir.conformance import invariants, structure_table
from passerelle.fhir.conformance.invariants import COMPILED, Law, is_broken, law_of
from passerelle.fhir.conformance.quick_laws import QUICK
from passerelle.fhir.conformance.structure import check
from passerelle.fhir.conformance.structure_table import Kind
from passerelle.fhir.fhirpath.nodes import Node, child, resource_node
from tests.fhir.mutations import MUTATIONS, mutated
from tests.fhir.test_structure_opinions import corpus
from tests.fhir.test_structure_readers import EVERY, grown
from tests.steps import steps_of


@cache
def plain_laws() -> dict[str, list[Law]]:
    """Give the invariants by path, each to be run in full on each element, by itself."""
    found: dict[str, list[Law]] = {}
    for one in invariants.invariants():
        if one.decided_by == COMPILED:
            law = law_of(one)._replace(spared=(), quick=None)
            found.setdefault(one.path, []).append(law)
    return found


def interpreted(node: Node, resource: Node) -> Iterator[str]:
    """Give the rules that an element breaks, and those that the elements in it break."""
    laws = plain_laws()
    yield from (law.rule for law in laws.get(node.kind, ()) if is_broken(law, node, resource))
    if node.kind in structure_table.patterns():
        return
    for element in structure_table.elements(node.kind):
        path = f"{node.kind}.{element.name}"
        own = () if path in structure_table.type_names() else laws.get(path, ())
        for one in child(node, element.name):
            yield from (law.rule for law in own if is_broken(law, one, resource))
            if one.kind not in structure_table.resource_types() and one.kind != "Resource":
                yield from interpreted(one, resource)


def agree(resource: dict[str, Any]) -> int:
    """See that both say the same; give how many faults that is."""
    told = Counter(said.rule for said in invariants.faults(resource, "R"))
    node = resource_node(resource)
    assert told == Counter(interpreted(node, node) if node.kind != "Resource" else ())
    return told.total()


LAWLESS = 20_000
"""Bytes of an example of `make test`; the nightly run takes all."""


def test_what_is_run_and_what_would_be_say_the_same_of_published_examples(shared: Path) -> None:
    for _, resource in corpus(shared, LAWLESS):
        agree(resource)


def spoiled(shared: Path, name: str, seed: int, size_max: int) -> dict[str, Any]:
    random = Random(seed)
    _, resource = random.choice(corpus(shared, size_max))
    for _ in range(random.choice((1, 2, 4, 8))):
        made = mutated(random, resource, name)
        if not made:
            break  # nothing would be left to be spoiled
        resource = made
    return resource


mutations = st.sampled_from(sorted(MUTATIONS))
seeds = st.integers(0, 2**32)


@settings(max_examples=100, deadline=None)
@given(name=mutations, seed=seeds)
def test_they_say_the_same_of_what_was_spoiled(shared: Path, name: str, seed: int) -> None:
    agree(spoiled(shared, name, seed, 10_000))


def made(name: str, seed: int) -> dict[str, Any]:
    """Make a resource from the table of types, without regard to invariants: many are broken."""
    resource: dict[str, Any] = grown(Random(seed), Kind(name))
    return resource


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(EVERY), seed=seeds)
def test_they_say_the_same_of_what_is_made_without_regard_to_them(name: str, seed: int) -> None:
    agree(made(name, seed))


@pytest.mark.nightly
def test_they_say_the_same_of_the_whole_corpus_and_of_what_is_made_of_it(shared: Path) -> None:
    counted: Counter[str] = Counter()
    for _, resource in corpus(shared, 10**7):
        counted["published: faults"] += agree(resource)
        counted["published"] += 1

    @settings(max_examples=1_500, deadline=None)
    @given(mutation=mutations, name=st.sampled_from(EVERY), seed=seeds)
    def compared(mutation: str, name: str, seed: int) -> None:
        counted["spoiled: faults"] += agree(spoiled(shared, mutation, seed, 50_000))
        counted["made: faults"] += agree(made(name, seed))
        counted["spoiled"] += 1

    compared()
    print(f"\ninvariants at speed: {dict(counted)}")
    assert counted["published"] > 300
    assert counted["made: faults"] > 10


def test_every_quick_law_is_of_an_invariant_that_is_run() -> None:
    compiled = {
        (one.path, one.key) for one in invariants.invariants() if one.decided_by == COMPILED
    }
    assert QUICK.keys() <= compiled


def form(count: int) -> dict[str, Any]:
    """Make a questionnaire of many items, each of which all invariants of items look at."""
    items = [
        {
            "linkId": str(n),
            "type": "choice",
            "text": "Question",
            "code": [{"system": "http://loinc.org", "code": "1-1"}],
            "enableWhen": [{"question": str(n), "operator": "=", "answerString": "x"}],
            "answerOption": [{"valueCoding": {"code": "a"}}, {"valueCoding": {"code": "b"}}],
            "initial": [{"valueString": "a"}],
        }
        for n in range(count)
    ]
    return {"resourceType": "Questionnaire", "status": "draft", "item": items}


def definition(count: int) -> dict[str, Any]:
    """Make a definition of many elements, of which snapshot and differential hold the same."""
    elements = [
        {
            "id": f"A.b{n}" if n else "A",
            "path": f"A.b{n}" if n else "A",
            "short": "a",
            "definition": "a",
            "min": 0,
            "max": "*",
            "base": {"path": "A", "min": 0, "max": "*"},
            "type": [{"code": "string"}, {"code": "Reference", "targetProfile": ["http://a"]}],
            "constraint": [{"key": "a-1", "severity": "error", "human": "a", "expression": "a"}],
        }
        for n in range(count)
    ]
    return {
        "resourceType": "StructureDefinition",
        "url": "http://a.example/A",
        "name": "A",
        "status": "draft",
        "kind": "logical",
        "abstract": False,
        "type": "A",
        "snapshot": {"element": elements},
        "differential": {"element": elements},
    }


@pytest.mark.parametrize(("made", "each"), [(form, 500), (definition, 1_500)])
def test_the_steps_of_a_check_grow_as_the_resource_does(made: Any, each: int) -> None:
    small, large = made(100), made(400)
    assert all(said.severity != "fatal" for said in check(small))
    steps = steps_of(lambda: check(small))
    assert steps < 100 * each
    assert steps_of(lambda: check(large)) < 4.4 * steps
