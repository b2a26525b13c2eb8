"""Laws of the door: its two readers never contradict each other, nor a second opinion."""

import copy
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.structure import check
from passerelle.fhir.conformance.structure_schema import accepts
from passerelle.fhir.conformance.structure_table import Element, Kind
from passerelle.fhir.conformance.structure_walk import Walk
from passerelle.fhir.json_text import encode
from passerelle.fhir.resource import Resource

CARE = """Patient Practitioner PractitionerRole Organization RelatedPerson CareTeam Appointment Task
    DocumentReference Communication Encounter EpisodeOfCare Consent List Flag Schedule Slot Location
    Observation Condition CarePlan AuditEvent Provenance Questionnaire Bundle Parameters"""
OURS = CARE.split()
EVERY = sorted(structure_table.resource_types())

PRIMITIVES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [0, -5],
    "unsignedInt": [0, 7],
    "positiveInt": [1, 9],
    "decimal": [1, Decimal("0.40"), Decimal("-3.1")],
    "base64Binary": ["AAEC", "AA=="],
    "date": ["1955", "1955-06", "2024-02-29"],
    "dateTime": ["2020", "2020-01-02T10:00:00+01:00"],
    "instant": ["2020-01-02T10:00:00Z"],
    "time": ["10:00:00"],
    "code": ["a", "b c"],
    "id": ["a-1.b"],
    "oid": ["urn:oid:1.2.3"],
    "uuid": ["urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>'],
}
ADDRESS = ["http://example.org/a", "urn:oid:1.2.3"]
TEXT = ["a", "l’été\u00a0!", " b "]
WRONG_VALUES = [None, "", [], {}, 1, "x", True, Decimal("1.5"), "2023-02-30", {"id": "a"}, ["x"]]


def grown(random: Random, kind: Kind, depth: int = 0) -> Any:
    """Make a value of a type from the table, right but for the invariants."""
    if kind.name in structure_table.patterns():
        fallback = ADDRESS if kind.name in {"uri", "url", "canonical"} else TEXT
        return random.choice(PRIMITIVES.get(kind.name, fallback))
    if kind.name == "Resource":
        return {"resourceType": "Basic", "code": {"text": "a"}}
    if kind.name == "Extension":
        return {"url": "http://example.org/e", "valueCode": "a"}
    node: dict[str, Any] = {}
    if kind.name in structure_table.resource_types():
        node["resourceType"] = kind.name
    for element in structure_table.elements(kind.name):
        if element.name in {"id", "contained"} or kind.name == "Reference":
            continue
        if element.required or random.random() < 0.5 / (depth + 1):
            node.update(member(random, element, depth))
    if kind.name == "Reference":
        node["reference"] = f"{random.choice(kind.targets or ('Patient',))}/1"
    return node or {"extension": [grown(random, Kind("Extension"))]}


def member(random: Random, element: Element, depth: int) -> dict[str, Any]:
    """Make one element of a type, perhaps with the extension of a primitive."""
    if depth > 3 and not element.required:
        return {}
    place = random.randrange(len(element.kinds))
    name, kind = element.json_names()[place], element.kinds[place]
    if element.value_set and kind.name == "code":
        value: Any = random.choice(sorted(structure_table.codes(element.value_set)))
    elif element.value_set and kind.name in structure_table.CODED:
        code = random.choice(sorted(structure_table.codes(element.value_set)))
        coding = {"system": min(structure_table.systems(element.value_set)), "code": code}
        value = coding if kind.name == "Coding" else {"coding": [{"display": "a"}, coding]}
    else:
        value = grown(random, kind, depth + 1)
    made = {name: [value] if element.many else value}
    if kind.name in structure_table.patterns() and not kind.attribute and random.random() < 0.1:
        sibling = {"extension": [{"url": "http://example.org/e", "valueCode": "a"}]}
        made["_" + name] = [sibling] if element.many else sibling
        if kind.name == "xhtml":
            del made["_" + name]
    return made


def containers(value: Any) -> list[Any]:
    """Give every object and array of a value, itself first."""
    inner = value.values() if isinstance(value, dict) else value
    held = [deep for one in inner if isinstance(one, dict | list) for deep in containers(one)]
    return [value, *held]


def spoiled(random: Random, resource: Resource) -> Resource:
    """Change one thing, which makes the resource wrong or leaves it right."""
    changed = copy.deepcopy(resource)
    holder = random.choice(containers(changed))
    if not holder:
        return changed
    place = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    changes: list[Callable[[], Any]] = [
        lambda: holder.__setitem__(place, copy.deepcopy(random.choice(WRONG_VALUES))),
        lambda: holder.__setitem__(place, [holder[place]]),
        lambda: holder.pop(place),
    ]
    if isinstance(holder, dict):
        name = random.choice(["zz", "id", "_id", "extension", "_" + place, "valueString", "period"])
        new = copy.deepcopy(
            random.choice([*WRONG_VALUES, [{"url": "a"}], {"start": "2", "end": "1"}])
        )
        changes += [lambda: holder.__setitem__(name, new)] * 2
    else:
        changes.append(lambda: holder.append(None))
    random.choice(changes)()
    return changed


def precise(resource: Resource) -> list[str]:
    """Give what the precise reader alone says."""
    name = resource["resourceType"]
    return [f"{said.rule} {said.expression}" for said in Walk().inside(resource, Kind(name), name)]


randoms = st.randoms(use_true_random=False)


@settings(max_examples=150, deadline=None)
@given(randoms, st.sampled_from(EVERY))
def test_what_is_made_by_the_table_is_right_but_for_invariants(random: Random, name: str) -> None:
    resource = grown(random, Kind(name))
    assert [found for found in check(resource) if found.code != "invariant"] == []


COMPARED = 1_500
"""Resources of the nightly run, each in seven forms: some minutes of one processor."""


def never_contradict(random: Random, name: str) -> Counter[str]:
    """Ask both readers of a resource and of what comes of it; give what they said."""
    counted: Counter[str] = Counter(resources=1)
    right = grown(random, Kind(name))
    resource = right
    for _ in range(6):
        if resource.get("resourceType") == name:
            said = precise(resource)
            quick = accepts(resource, name)
            assert not (said and quick)
            counted["refused" if said else "accepted" if quick else "accepted by one"] += 1
            right = right if said else resource
        resource = spoiled(random, right)
    return counted


@settings(max_examples=150, deadline=None)
@given(randoms, st.sampled_from(EVERY))
def test_what_the_quick_reader_accepts_the_precise_one_finds_right(
    random: Random, name: str
) -> None:
    never_contradict(random, name)


@pytest.mark.nightly
def test_the_readers_never_contradict_each_other_at_length() -> None:
    counted: Counter[str] = Counter()

    @settings(max_examples=COMPARED, deadline=None)
    @given(randoms, st.sampled_from(EVERY))
    def compared(random: Random, name: str) -> None:
        counted.update(never_contradict(random, name))

    compared()
    print(f"\nstructure, two readers: {dict(counted)}")
    assert counted["resources"] >= COMPARED
    assert min(counted["refused"], counted["accepted"]) > COMPARED // 10


def test_the_quick_reader_accepts_what_is_right_and_common() -> None:
    right = accepted = 0
    for seed in range(300):
        random = Random(seed)
        name = random.choice(OURS)
        resource = grown(random, Kind(name), depth=2)
        if not precise(resource) and "_" not in str(resource):
            right += 1
            accepted += accepts(resource, name)
    assert right > 150
    assert accepted > 0.85 * right


@settings(max_examples=100, deadline=None)
@given(randoms, st.sampled_from(EVERY))
def test_the_check_answers_whatever_it_is_given(random: Random, name: str) -> None:
    resource = grown(random, Kind(name))
    for _ in range(10):
        resource = spoiled(random, resource)
        for found in check(resource):
            assert found.expression
            assert found.text


def known_difference(fault: ErrorDetails) -> bool:
    """Tell what the models of fhir.resources refuse that R4 allows.

    An extension of the value of an extension (``_valueCode``), and a choice that must be there and
    of which only the extension is.
    """
    only_extended = "Expect any of field value" in fault["msg"]
    return str(fault["loc"][-1]).startswith("_value") or only_extended


def second_opinion(name: str, resource: Resource) -> list[ErrorDetails]:
    """Give what fhir.resources (R4B) has against a resource, but for the known differences."""
    try:
        get_fhir_model_class(name).model_validate_json(encode(resource))
    except ValidationError as refusal:
        return [fault for fault in refusal.errors() if not known_difference(fault)]
    return []


@settings(max_examples=60, deadline=None)
@given(randoms, st.sampled_from(OURS))
def test_what_the_door_accepts_a_second_opinion_accepts(random: Random, name: str) -> None:
    right = grown(random, Kind(name))
    resource = right
    for _ in range(4):
        if resource.get("resourceType") == name and check(resource) == []:
            right = resource
            assert second_opinion(name, resource) == []
        resource = spoiled(random, right)
