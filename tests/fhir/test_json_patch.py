"""JSON Patch: the published cases, and numbers that stay as they are written."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from passerelle.errors.refusals import Invalid, PasserelleError, Unprocessable
from passerelle.fhir import json_text
from passerelle.fhir.patch import json_patch, patch
from tests.fhir.published_patches import FOLDER


def rules(refusal: PasserelleError):
    return [(said.rule, said.expression) for said in refusal.issues]


def patched(document, *operations):
    return json_patch.apply(json_patch.operations(list(operations)), document)


def test_the_published_cases_of_json_patch_hold(shared):
    cases = json.loads((shared / FOLDER / "json-patch-tests.json").read_text())
    assert len(cases) == 16
    for case in cases:
        if "error" in case:
            with pytest.raises(Unprocessable):
                patched(case["doc"], *case["patch"])
        else:
            assert patched(case["doc"], *case["patch"]) == case["expected"], case["comment"]


def test_what_is_not_patched_keeps_its_bytes():
    body = (
        b'{"resourceType":"Observation","id":"o","valueQuantity":{"value":1.50,"unit":"g"},'
        b'"component":[{"valueQuantity":{"value":1e3}},{"valueQuantity":{"value":0.0000001}}]}'
    )
    change = patch.of_json(b'[{"op":"replace","path":"/valueQuantity/value","value":2.00}]')
    made = json_text.encode(change(json_text.decode(body)))
    assert made == body.replace(b"1.50", b"2.00")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, Decimal("1.0"), True),
        (1, True, False),
        (0, False, False),
        ("1", 1, False),
        (None, None, True),
        ({"a": [1]}, {"a": [Decimal("1.00")]}, True),
        ([1, 2], [2, 1], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
    ],
)
def test_values_are_compared_as_json_has_them(one, other, same):
    assert json_patch.equal(one, other) is same
    assert json_patch.equal(other, one) is same


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{}", [("patch.json-array", "")]),
        (b"[1]", [("patch.operation-object", "/0")]),
        (b'[{"op":"jump"},{"op":"add"}]',
         [("patch.operation-unknown", "/0/op"), ("patch.member-missing", "/1"),
          ("patch.member-missing", "/1")]),
        (b'[{"op":"remove","path":"a~2"}]', [("patch.pointer-malformed", "/0/path")]),
        (b'[{"op":"move","from":"/a","path":"/a/b"}]', [("patch.move-into-itself", "/0/path")]),
        (b'[],"x":1', [("json.malformed", None)]),
        (b"[", [("json.malformed", None)]),
        (b"[]}", [("json.malformed", None)]),
        (b'[{"op":"test","op":"add"}]', [("json.duplicate-key", None)]),
    ],
)  # fmt: skip
def test_a_malformed_patch_is_refused_whole(body, said):
    with pytest.raises(Invalid) as refused:
        json_patch.parse(body)
    assert rules(refused.value) == said


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ({"op": "remove", "path": "/c"}, "patch.nowhere"),
        ({"op": "remove", "path": "/b/01"}, "patch.nowhere"),
        ({"op": "add", "path": "/b/3", "value": 1}, "patch.nowhere"),
        ({"op": "add", "path": "/a/x", "value": 1}, "patch.nowhere"),
        ({"op": "replace", "path": "/b/-", "value": 1}, "patch.nowhere"),
        ({"op": "remove", "path": ""}, "patch.whole-resource"),
        ({"op": "test", "path": "/a", "value": 2}, "patch.test-failed"),
    ],
)
def test_an_operation_that_cannot_be_done_is_named(operation, rule):
    with pytest.raises(Unprocessable) as refused:
        patched({"a": 1, "b": [1, 2]}, {"op": "test", "path": "/a", "value": 1}, operation)
    assert rules(refused.value) == [(rule, "/1")]


def test_copies_of_copies_come_to_an_end():
    double = {"op": "copy", "from": "/a", "path": "/a/-"}
    with pytest.raises(Unprocessable) as refused:
        patched({"a": ["x" * 1000]}, *[double] * 100)
    assert rules(refused.value)[0][0] == "patch.too-much-copied"


def test_a_patch_cannot_make_a_resource_deeper_than_is_read():
    deep = json.dumps({"op": "add", "path": "/a" * 60, "value": None})
    nest = [{"op": "move", "from": "/a", "path": "/b"}, {"op": "add", "path": "/a", "value": {}},
            {"op": "move", "from": "/b", "path": "/a/a"}] * 120  # fmt: skip
    with pytest.raises(Unprocessable) as refused:
        patch.of_json(json.dumps(nest).encode())({"resourceType": "Basic", "a": {}})
    assert rules(refused.value) == [("json.too-deep", None)]
    with pytest.raises(Unprocessable):
        patch.of_json(b"[" + deep.encode() + b"]")({"resourceType": "Basic"})


def test_a_patch_gives_the_same_resource_or_none():
    for body in (
        b'[{"op":"replace","path":"/id","value":"p2"}]',
        b'[{"op":"remove","path":"/resourceType"}]',
        b'[{"op":"replace","path":"","value":[]}]',
    ):
        with pytest.raises(Unprocessable):
            patch.of_json(body)({"resourceType": "Patient", "id": "p1"})


DOCUMENTS = some.recursive(
    some.none() | some.booleans() | some.integers(-9, 9) | some.text(max_size=3),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.text("ab/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_replacing_the_whole_gives_the_other_and_tests_equal(one, other):
    whole = {"op": "replace", "path": "", "value": other}
    test = {"op": "test", "path": "", "value": other}
    assert patched(one, whole, test) == other
