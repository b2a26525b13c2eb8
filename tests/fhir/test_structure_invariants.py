"""The invariants of R4: all of them are there, each can be broken, each says what R4 says."""

from collections import Counter
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.rules import table
from passerelle.fhir.conformance import datatype_laws, resource_laws, structure_table
from passerelle.fhir.conformance.invariants import (
    COMPILED,
    Invariant,
    invariants,
    is_broken,
    law_of,
)
from passerelle.fhir.conformance.structure import check
from passerelle.fhir.conformance.structure_table import Kind
from passerelle.fhir.fhirpath.nodes import Node, child, resource_node
from tests.fhir.test_structure_readers import grown

ALL = invariants()
COMPILED_ONES = [one for one in ALL if one.decided_by == COMPILED]


def type_at(path: str) -> str:
    """Give the type of what stands at a path."""
    if path in structure_table.type_names():
        return path
    owner, _, name = path.rpartition(".")
    return next(e.kinds[0].name for e in structure_table.elements(owner) if e.name == name)


def test_every_error_invariant_of_r4_is_decided_by_somebody() -> None:
    assert len(ALL) == 206
    assert len({one.key for one in ALL}) == 204
    decided = Counter(one.decided_by for one in ALL)
    assert decided[COMPILED] == 134
    assert sum(decided.values()) - decided[COMPILED] == 72
    told = {one.rule for one in ALL if one.decided_by != "structure_table"}
    assert told <= set(table())


def elements(resource: Node, path: str) -> list[tuple[Node, Node]]:
    """Give the elements of a path in a resource, at every depth, each with its resource."""
    found: list[tuple[Node, Node]] = []
    kind, _, name = path.rpartition(".")
    waiting = [resource]
    while waiting:
        node = waiting.pop()
        if node.kind == path:
            found.append((node, resource))
        elif node.kind == kind:
            found += [(one, resource) for one in child(node, name) if one.kind != path]
        if node.kind not in structure_table.patterns() and node.kind != "Extension":
            for element in structure_table.elements(node.kind):
                waiting += child(node, element.name)
    return found


def met(path: str, seed: int) -> list[tuple[Node, Node]]:
    """Give elements of a path, grown from the table."""
    random = Random(seed)
    holder = path.split(".", maxsplit=1)[0]
    if holder in structure_table.resource_types():
        return elements(resource_node(grown(random, Kind(holder))), path)
    kind = path if path in structure_table.type_names() else path.rpartition(".")[0]
    grown_node = Node(grown(random, Kind(kind), depth=1), kind)
    return elements(grown_node, path)


VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
WRONG = {"coding": [{"system": VERIFICATION, "code": "entered-in-error"}]}
CODED = {"coding": [{"system": "http://loinc.org", "code": "a"}]}
HL7 = "http://hl7.org/fhir/StructureDefinition/A"


def scoped(code: str) -> dict[str, Any]:
    return {"scope": {"coding": [{"system": "something", "code": code}]}}


def typed(*codes: str) -> list[dict[str, Any]]:
    return [{"code": code} for code in codes]


# What growing at random does not come by: an element that breaks the invariant, and one that holds.
BY_HAND: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ait-2": ({"verificationStatus": WRONG, "clinicalStatus": {}}, {"verificationStatus": WRONG}),
    "cpb-7": ({"document": [{"profile": "a", "mode": "b"}] * 2}, {"document": [{"mode": "a"}]}),
    "cpb-9": ({"resource": [{"type": "A"}] * 2}, {"resource": [{"type": "A"}, {"type": "B"}]}),
    "cpb-12": ({"searchParam": [{"name": "a"}] * 2}, {"searchParam": [{"name": "a"}]}),
    "ppc-2": (scoped("patient-privacy"), {**scoped("patient-privacy"), "patient": {}}),
    "ppc-3": (scoped("research"), {**scoped("research"), "patient": {}}),
    "ppc-4": (scoped("adr"), {**scoped("adr"), "patient": {}}),
    "ppc-5": (scoped("treatment"), {**scoped("treatment"), "patient": {}}),
    "eld-2": ({"min": 2, "max": "1"}, {"min": 2, "max": "*"}),
    "eld-6": ({"fixedCode": "a", "type": typed("a", "b")}, {"fixedCode": "a", "type": typed("a")}),
    "eld-7": (
        {"patternCode": "a", "type": typed("a", "b")},
        {"patternCode": "a", "type": typed("a")},
    ),
    "eld-13": ({"type": typed("a", "a")}, {"type": typed("a", "b")}),
    "eld-14": ({"constraint": [{"key": "a"}] * 2}, {"constraint": [{"key": "a"}]}),
    "eld-12": ({"valueSet": "ftp://a"}, {"valueSet": "http://a"}),
    "obs-7": (
        {"code": CODED, "valueInteger": 1, "component": [{"code": CODED}]},
        {"code": CODED, "component": [{"code": CODED}]},
    ),
    "lnk-1": ({"item": [{}]}, {"item": [{"type": "a"}, {"type": "b"}]}),
    "mdd-1": (
        {"whenPrepared": "2020-01-02", "whenHandedOver": "2020-01-01"},
        {"whenPrepared": "2020-01-02", "whenHandedOver": "2020-01-02"},
    ),
    "nsd-2": (
        {"uniqueId": [{"type": "oid", "preferred": True}] * 2},
        {"uniqueId": [{"type": "oid", "preferred": True}, {"type": "oid", "preferred": False}]},
    ),
    "que-12": (
        {"enableWhen": [{"question": "a"}] * 3},
        {"enableWhen": [{"question": "a"}] * 3, "enableBehavior": "all"},
    ),
    "que-13": (
        {"initial": [{"valueCode": "a"}, {"valueCode": "b"}]},
        {"initial": [{"valueCode": "a"}, {"valueCode": "b"}], "repeats": True},
    ),
    "ras-2": ({"probabilityDecimal": 101}, {"probabilityDecimal": 100}),
    "sdf-1": ({"snapshot": {"element": [{"path": "a"}] * 2}}, {"snapshot": {"element": []}}),
    "sdf-5": ({"type": "Extension", "derivation": "constraint"}, {"type": "Patient"}),
    "sdf-19": (
        {"url": HL7, "snapshot": {"element": [{"type": typed("a b")}]}},
        {"url": HL7, "snapshot": {"element": [{"type": typed("Patient")}]}},
    ),
    "sdf-22": (
        {"url": HL7, "snapshot": {"element": [{"defaultValueCode": "a"}]}},
        {"url": HL7, "snapshot": {"element": [{"path": "a"}]}},
    ),
    "sdf-3": (
        {"element": [{"definition": "a", "min": 0}]},
        {"element": [{"definition": "a", "min": 0, "max": "1"}]},
    ),
    "tcp-1": ({"version": [{"code": "a"}, {"isDefault": True}]}, {"version": [{}]}),
    "tst-4": ({"capability": [{"id": "a"}]}, {"capability": [{"required": True}]}),
    "tst-7": ({"type": {"code": "read"}}, {"type": {"code": "search"}}),
    "tst-8": ({"type": {"code": "read"}}, {"type": {"code": "read"}, "url": "a"}),
    "tst-9": ({"type": {"code": "read"}}, {"type": {"code": "read"}, "params": "a"}),
    "tst-12": ({"direction": "request", "responseCode": "a"}, {"direction": "request"}),
    "tst-13": ({"direction": "request", "response": "okay"}, {"direction": "response"}),
}

NEVER_FALSE = {
    "eld-11": "select() gives a boolean for each type, of which exists() is always true",
}
"""Expressions of R4 that nothing can break, as they are written."""


@pytest.mark.parametrize("one", COMPILED_ONES, ids=lambda one: f"{one.path}-{one.key}")
def test_a_compiled_invariant_can_be_broken_and_can_hold(one: Invariant) -> None:
    law = law_of(one)
    if one.key in BY_HAND:
        broken, right = (Node(element, type_at(one.path)) for element in BY_HAND[one.key])
        assert is_broken(law, broken, broken)
        assert not is_broken(law, right, right)
        return
    answers = set()
    if one.key == "eld-3":
        answers = {is_broken(law, Node(text, "string"), NOTHING) for text in ("a", "3")}
    for seed in range(200):
        answers |= {is_broken(law, *found) for found in met(one.path, seed)}
        if len(answers) == 2:
            break
    assert answers == ({False} if one.key in NEVER_FALSE else {True, False})


NOTHING = resource_node({"resourceType": "Basic"})


def test_a_broken_invariant_is_told_at_its_element_at_any_depth() -> None:
    held = {"linkId": "b", "type": "display", "required": True}
    outer = {"linkId": "a", "type": "group", "item": [held]}
    form = {"resourceType": "Questionnaire", "status": "draft", "item": [outer]}
    told = [(said.rule, said.expression) for said in check(form)]
    assert told == [("structure.que-6", "Questionnaire.item[0].item[0]")]
    inside = {"resourceType": "Basic", "code": {"text": "a"}, "contained": [{**form, "id": "q"}]}
    told = [(said.rule, said.expression) for said in check(inside)]
    assert ("structure.que-6", "Basic.contained[0].item[0].item[0]") in told


def test_an_invariant_of_a_value_is_told_at_the_value() -> None:
    prediction = {
        "probabilityRange": {"low": {"value": 1, "code": "a", "system": "http://a.example"}}
    }
    risk = {
        "resourceType": "RiskAssessment",
        "status": "final",
        "subject": {"reference": "Patient/1"},
        "prediction": [prediction],
    }
    told = [(said.rule, said.expression) for said in check(risk)]
    assert told == [("structure.ras-1", "RiskAssessment.prediction[0].probability")]


# Functions that decide otherwise than the expression, where R4's text decides for the function.
OTHERWISE = {
    "app-4": "the expression has no-show, the code is noshow",
    "ctm-1": "resolve() needs a server; what the text of the reference says is enough",
    "tim-9": "of several codes, in is not defined; none of them may be a meal",
    "bdl-8": "an entry without fullUrl has none that is of a version",
}
HAND = [
    one for one in ALL if one.decided_by in ("datatype_laws", "resource_laws")
    and one.key not in OTHERWISE
]  # fmt: skip


@cache
def decides(one: Invariant) -> Any:
    """Give the function that decides an invariant: of an element, whether it is broken."""
    key = one.rule.removeprefix("structure.")
    for law in datatype_laws.LAWS:
        if law.key == key:
            return lambda node, law=law: not law.holds(node)
    holder = one.path.split(".", maxsplit=1)[0]
    for name, law_of_resource in resource_laws.LAWS[holder]:
        if name == key:
            return lambda node: list(law_of_resource(node)) != []
    raise AssertionError(key)


def agree(one: Invariant, seed: int) -> None:
    """See that the function and the expression say the same of what is grown from a seed."""
    law = law_of(one)
    found = met(one.path, seed)
    if one.decided_by == "datatype_laws":
        for node, resource in found:
            assert decides(one)(node.value) == is_broken(law, node, resource), node.value
    elif found:
        broken = any(is_broken(law, node, resource) for node, resource in found)
        assert decides(one)(found[0][1].value) == broken, found[0][1].value


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(HAND), st.integers(0, 2**32))
def test_a_function_decides_as_the_expression_of_r4_does(one: Invariant, seed: int) -> None:
    agree(one, seed)


@pytest.mark.nightly
@settings(max_examples=20_000, deadline=None)
@given(st.sampled_from(HAND), st.integers(0, 2**32))
def test_the_functions_decide_as_the_expressions_at_length(one: Invariant, seed: int) -> None:
    agree(one, seed)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(COMPILED_ONES), st.integers(0, 2**32))
def test_what_is_not_run_for_want_of_its_elements_would_hold(one: Invariant, seed: int) -> None:
    law = law_of(one)
    for node, resource in met(one.path, seed):
        always = law._replace(spared=(), quick=None)
        assert is_broken(law, node, resource) == is_broken(always, node, resource)
