"""Line and column of a fault, from the text and the place of the fault."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir.conformance.structure import check
from passerelle.fhir.json_places import MEMBERS_MAX, located
from passerelle.fhir.json_text import decode
from passerelle.fhir.outcome import COLUMN, LINE, operation_outcome

PATIENT = """{
  "resourceType": "Patient",
  "birthDate": "1974-02-30",
  "_birthDate": {"extension": [{"url": "é", "valueDate": "x"}]},
  "contact": [
    {"name": {"text": "Éléonore"}, "gender": 1},
    {"relationship": [{"coding": [{"code": " "}]}],
     "name": {"family": ""}}
  ],
  "deceasedDateTime": "never"
}""".encode()


def at(body: bytes, expression: str) -> str:
    """Give the rest of the text from where an expression is said to be."""
    (found,) = located(body, [issue("structure.empty", expression)])
    assert found.line
    assert found.column
    return body.decode().split("\n")[found.line - 1][found.column - 1 :]


@pytest.mark.parametrize(
    ("expression", "there"),
    [
        ("Patient", "{"),
        ("Patient.birthDate", '"birthDate": "1974-02-30",'),
        ("Patient.birthDate.extension[0].value", '"valueDate": "x"}]},'),
        ("Patient.contact[0].gender", '"gender": 1},'),
        ("Patient.contact[1].relationship[0].coding[0].code", '"code": " "}]}],'),
        ("Patient.contact[1].name.family", '"family": ""}}'),
        ("Patient.deceased", '"deceasedDateTime": "never"'),
        ("Patient.contact[1].period.start", '{"relationship": [{"coding": [{"code": " "}]}],'),
        ("Patient.contact[7].name", '"contact": ['),
        ("Patient.link", "{"),
    ],
)
def test_a_fault_is_found_where_it_is_or_where_it_should_be(expression: str, there: str) -> None:
    assert at(PATIENT, expression) == there


def test_every_fault_of_a_resource_has_its_line() -> None:
    found = located(PATIENT, check(decode(PATIENT)))
    assert {(one.expression, one.line) for one in found} >= {
        ("Patient.birthDate", 3),
        ("Patient.contact[0].gender", 6),
        ("Patient.contact[1].name.family", 8),
        ("Patient.deceased", 10),
    }


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [(b'{\n "a": 1,\n}', 3, 1), (b'{"a": tru}', 1, 11), (b'{"a"', 1, 5), (b"", 1, 1)],
)
def test_what_cannot_be_read_is_told_at_the_byte_where_it_stops(
    body: bytes, line: int, column: int
) -> None:
    with pytest.raises(Invalid) as refusal:
        decode(body)
    (found,) = located(body, refusal.value.issues)
    assert (found.line, found.column) == (line, column)


def test_the_outcome_says_line_and_column() -> None:
    told = json.loads(operation_outcome(located(PATIENT, [issue("structure.empty", "Patient.x")])))
    assert told["issue"][0]["extension"] == [
        {"url": LINE, "valueInteger": 1},
        {"url": COLUMN, "valueInteger": 1},
    ]


def test_a_fault_in_the_last_of_many_entries_is_found_and_beyond_a_bound_it_has_none() -> None:
    entries = b",\n".join([b'{"resource": {"active": 1}}'] * 20_000)
    body = b'{"resourceType": "Bundle", "entry": [\n' + entries + b"]}"
    (found,) = located(body, [issue("structure.empty", "Bundle.entry[19999].resource.active")])
    assert (found.line, found.column) == (20_001, 15)
    wide = b'{"entry": [' + b",".join([b"1"] * (MEMBERS_MAX + 10)) + b"]}"
    (found,) = located(wide, [issue("structure.empty", f"Resource.entry[{MEMBERS_MAX + 5}]")])
    assert (found.line, found.column) == (1, 2)


@pytest.mark.parametrize(
    "expression", ["If-Match", "Prefer", "/patient/name", "name", "a b", "", "Task"]
)
def test_what_speaks_of_no_element_has_no_place(expression: str) -> None:
    (found,) = located(PATIENT, [issue("structure.empty", expression)])
    assert found.line is None


names = st.text('ab_é\\"\n', min_size=1, max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


def places(value: Any, path: str = "Resource") -> Iterator[tuple[str, Any]]:
    """Give every place that an expression can name, with its value."""
    yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.isidentifier() and name.isascii() and not name.startswith("_"):
                yield from places(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, f"{path}[{index}]")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(names, values, max_size=4), st.sampled_from([None, 1, "\t"]))
def test_the_place_found_holds_what_is_there(resource: dict[str, Any], indent: Any) -> None:
    text = json.dumps(resource, indent=indent, ensure_ascii=indent is None)
    wanted = list(places(resource))
    issues = [issue("structure.empty", path) for path, _ in wanted]
    for (path, value), found in zip(wanted, located(text.encode(), issues), strict=True):
        assert found.line
        assert found.column
        rest = "\n".join(text.split("\n")[found.line - 1 :])[found.column - 1 :]
        if not path.endswith("]") and path != "Resource":
            name = json.dumps(path.rpartition(".")[2])
            assert rest.startswith(name)
            rest = rest[len(name) :].lstrip(" :\n\t")
        assert json.JSONDecoder(parse_float=Decimal).raw_decode(rest)[0] == value


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.text("X.a[0]9", max_size=12))
def test_any_bytes_and_any_expression_are_answered(body: bytes, expression: str) -> None:
    said = Issue("error", "structure", "structure.empty", "", "", expression)
    assert len(located(body, [said, Issue("error", "structure", "json.malformed", "", "")])) == 2
