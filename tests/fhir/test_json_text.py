"""Reading and writing JSON: exact, and nothing ambiguous comes through."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.json_text import decode, encode

# Read by RFC 8259, refused by FHIR or because it is ambiguous.
WELL_FORMED_BUT_REFUSED = {
    "y_object_duplicated_key.json": "json.duplicate-key",
    "y_object_duplicated_key_and_value.json": "json.duplicate-key",
    "y_object_escaped_null_in_key.json": "json.bad-character",
}


def rule_of(body: bytes) -> str:
    try:
        decode(body)
    except Invalid as refusal:
        return refusal.issues[0].rule
    return "read"


def test_the_parsing_suite_is_read_or_refused_as_it_says(shared: Path) -> None:
    files = sorted((shared / "data/json/test_parsing").glob("*.json"))
    assert len(files) > 300
    for file in files:
        body = file.read_bytes()
        said = rule_of(body)
        if file.name.startswith("n_"):
            assert said not in {"read", "json.not-an-object"}, file.name
        if file.name.startswith("y_"):
            whole = isinstance(json.loads(body), dict)
            expected = "read" if whole else "json.not-an-object"
            assert said == WELL_FORMED_BUT_REFUSED.get(file.name, expected), file.name


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "json.malformed"),
        (b"{} {}", "json.malformed"),
        (b'{"a":NaN}', "json.malformed"),
        (b"[]", "json.not-an-object"),
        (b"\xef\xbb\xbf{}", "json.byte-order-mark"),
        (b'{"a":"\xff"}', "json.not-utf8"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "json.too-deep"),
        (b'{"a":1,"a":1}', "json.duplicate-key"),
        (b'{"a":1,"a" :2}', "json.duplicate-key"),
        (b'{"a":1,"\\u0061":2}', "json.duplicate-key"),
        (b'{"a":1,"a":2,"b":"\\u003a"}', "json.duplicate-key"),
        (b'{"x":[{"y":{"a":1,"b":2,"a":1}}]}', "json.duplicate-key"),
        (b'{"a":{"b":1},"a":{"b":1,"c":":"}}', "json.duplicate-key"),
        (b'{"a":"\\u0000"}', "json.bad-character"),
        (b'{"a":"\\b"}', "json.bad-character"),
        (b'{"a":"\\\\\\f"}', "json.bad-character"),
        (b'{"a":"\\u001F"}', "json.bad-character"),
        (b'{"a":"\\ud83d"}', "json.bad-character"),
        (b'{"a":1e1001}', "json.number-too-large"),
        (b'{"a":1e-99999999999999999999}', "json.number-too-large"),
        (b'{"a":' + b"9" * 5000 + b"}", "json.number-too-large"),
        (b'{"a":0.' + b"9" * 5000 + b"}", "json.number-too-large"),
    ],
)
def test_each_fault_has_its_rule(body: bytes, rule: str) -> None:
    assert rule_of(body) == rule


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"\\\\b"}',
        b'{"a":"\\\\u0000"}',
        b'{"a":"\\t\\r\\n"}',
        b'{"a":":","b":"\\u003a"}',
        b'{"a":{"a":{"a":1}}}',
        '{"a":"\U0001f600"}'.encode(),
    ],
)
def test_what_only_looks_faulty_is_read(body: bytes) -> None:
    assert decode(body) == json.loads(body)


@pytest.mark.parametrize(
    "number",
    [
        "0.40",
        "72.50",
        "1e3",
        "1E05",
        "-1.000E+245",
        "-1.000000000000000000E+245",
        "0.0000001",
        "3.14159265358979323846264338327950288419",
        "-0.0",
        "123456789012345678901234567890",
    ],
)
def test_a_number_is_written_as_it_was_read(number: str) -> None:
    body = f'{{"value":{number}}}'.encode()
    assert encode(decode(body)) == body
    assert decode(body)["value"] == Decimal(number)


def test_no_number_is_ever_a_float() -> None:
    assert {type(value) is float for value in decode(b'{"a":1,"b":1.5,"c":1e3}').values()} == {
        False
    }


names = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]))
json_values = st.recursive(
    st.one_of(
        names,
        st.booleans(),
        st.none(),
        st.integers(-(10**30), 10**30),
        st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)
objects = st.dictionaries(names, json_values, max_size=4)


@settings(max_examples=200, deadline=None)
@given(objects)
def test_what_is_written_is_read_back_the_same(value: dict[str, Any]) -> None:
    body = encode(value)
    if rule_of(body) != "json.bad-character":
        assert decode(body) == value
        assert encode(decode(body)) == body


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", ":", '"', "é"]), st.text()), max_size=4))
def test_a_name_that_stands_twice_is_always_found(members: list[tuple[str, str]]) -> None:
    text = ",".join(f"{json.dumps(name)} : {json.dumps(value)}" for name, value in members)
    names = [name for name, _ in members]
    said = rule_of(f'{{"x":[{{{text}}}]}}'.encode())
    if said != "json.bad-character":
        assert said == ("read" if len(set(names)) == len(names) else "json.duplicate-key")


def test_naughty_strings_are_kept_to_the_letter_or_refused_for_their_characters(
    shared: Path,
) -> None:
    strings = json.loads((shared / "data/json/naughty-strings.json").read_bytes())
    assert len(strings) > 400
    for text in strings:
        body = json.dumps({"family": text}, ensure_ascii=False, separators=(",", ":")).encode()
        forbidden = any(letter < " " and letter not in "\t\n\r" for letter in text)
        assert rule_of(body) == ("json.bad-character" if forbidden else "read")
        if not forbidden:
            assert decode(encode(decode(body))) == {"family": text}
