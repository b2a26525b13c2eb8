"""Laws of the two forms, over resources made from the definitions themselves."""

import json
import string
from collections import Counter
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir import json_text
from passerelle.fhir.conformance.structure_table import (
    Element,
    Kind,
    elements,
    patterns,
    resource_types,
)
from passerelle.fhir.xml import reader, writer
from tests.fhir.xml_flattened import of_json, of_xml

DEEP = 3

texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r<>&\"' é\u00a0\u2028"),
    min_size=1,
    max_size=12,
)
words = st.text(string.ascii_letters, min_size=1, max_size=6)
decimals = st.sampled_from(["0", "1.0", "1.50", "-0.010", "1e3", "1E-7", "-12", "0.0000001"]).map(
    lambda text: json_text.decode(f'{{"v":{text}}}'.encode())["v"]
) | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000)
DIVS = st.builds(
    lambda text: (
        '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">'
        + text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        + "</p><br/></div>"
    ),
    texts,
)
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "decimal": decimals,
    "integer": st.integers(-(2**31), 2**31 - 1),
    "unsignedInt": st.integers(0, 2**31 - 1),
    "positiveInt": st.integers(1, 2**31 - 1),
    "xhtml": DIVS,
}


@cache
def objects(kind: str, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Give objects of a type, of elements taken at random in any order."""
    return st.lists(
        st.sampled_from(elements(kind)), min_size=1, max_size=4, unique_by=lambda each: each.name
    ).flatmap(lambda chosen: _filled(kind, tuple(chosen), depth))


def _filled(
    kind: str, chosen: tuple[Element, ...], depth: int
) -> st.SearchStrategy[dict[str, Any]]:
    parts = [member for each in chosen if (member := _member(each, depth)) is not None]
    made = st.tuples(*parts).map(lambda found: {k: v for part in found for k, v in part.items()})
    if kind in resource_types():
        made = made.map(lambda node: {"resourceType": kind, **node})
    return made.filter(bool)


def _member(element: Element, depth: int) -> st.SearchStrategy[dict[str, Any]] | None:
    kinds = [kind for kind in element.kinds if depth > 0 or kind.name in patterns()]
    if not kinds:
        return None
    return st.sampled_from(kinds).flatmap(lambda kind: _values(element, kind, depth))


def _values(element: Element, kind: Kind, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    name = element.name + (kind.suffix if element.choice else "")
    if kind.name not in patterns():
        held = "Patient" if kind.name == "Resource" else kind.name
        inner = objects(held, depth - 1)
        many = st.lists(inner, min_size=1, max_size=3)
        return (many if element.many else inner).map(lambda value: {name: value})
    plain = PRIMITIVES.get(kind.name, texts)
    if kind.attribute or kind.name == "xhtml":
        return plain.map(lambda value: {name: value})
    extended = words.map(lambda word: {"id": word})
    if not element.many:
        return plain.map(lambda value: {name: value}) | st.tuples(plain, extended).map(
            lambda both: {name: both[0], "_" + name: both[1]}
        )
    pairs = st.lists(st.tuples(plain | st.none(), extended | st.none()), min_size=1, max_size=3)
    return pairs.map(lambda found: _arrays(name, [pair for pair in found if any(_there(pair))]))


def _there(pair: tuple[Any, Any]) -> tuple[bool, bool]:
    return pair[0] is not None, pair[1] is not None


def _arrays(name: str, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if any(pair[0] is not None for pair in pairs):
        made[name] = [pair[0] for pair in pairs]
    if any(pair[1] is not None for pair in pairs):
        made["_" + name] = [pair[1] for pair in pairs]
    return made


def demand_laws(resource: dict[str, Any]) -> None:
    """See that XML says the same, is settled, and keeps the numbers as they are written."""
    text = writer.encode(resource)
    again = reader.decode(text)
    assert again == resource
    assert json.loads(json_text.encode(again), parse_float=str) == json.loads(
        json_text.encode(resource), parse_float=str
    )
    assert writer.encode(again) == text
    assert reader.decode(writer.encode(resource, pretty=True)) == resource
    assert of_xml(text) == of_json(resource)


resources_at_random = st.sampled_from(sorted(resource_types())).flatmap(
    lambda kind: objects(kind, DEEP)
)
bounded = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@bounded
@given(resources_at_random)
def test_a_resource_goes_through_xml_unchanged(resource: dict[str, Any]) -> None:
    demand_laws(resource)


MANY = 1_000
"""Resources of the nightly run: some minutes of one processor."""


@pytest.mark.nightly
def test_many_resources_go_through_xml_unchanged() -> None:
    counted: Counter[str] = Counter()

    @settings(bounded, max_examples=MANY)
    @given(resources_at_random)
    def many(resource: dict[str, Any]) -> None:
        demand_laws(resource)
        counted.update({"resources": 1, "bytes": len(writer.encode(resource))})

    many()
    print(f"\nxml, at random: {dict(counted)}")
    assert counted["resources"] >= MANY


@bounded
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    _read_or_refuse(text)
    _read_or_refuse(b'<Patient xmlns="http://hl7.org/fhir">' + text + b"</Patient>")


@bounded
@given(resources_at_random, st.data())
def test_a_text_changed_at_random_is_read_or_refused(
    resource: dict[str, Any], data: st.DataObject
) -> None:
    text = writer.encode(resource)
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 20)))
    put = data.draw(st.binary(max_size=5) | st.sampled_from([b"<", b"/>", b"&a;", b"<a/>", b'"']))
    _read_or_refuse(text[:begin] + put + text[end:])


def _read_or_refuse(text: bytes) -> None:
    try:
        found = reader.decode(text)
    except Invalid:
        return
    written = writer.encode(found)
    assert reader.decode(written) == found


def test_numbers_of_every_spelling_are_the_same_in_both_forms() -> None:
    for text in ("0", "-0.0", "1E400", "1e-400", "123456789012345678901234567890", "0.10e+5"):
        body = f'{{"resourceType":"Observation","valueQuantity":{{"value":{text}}}}}'.encode()
        resource = json_text.decode(body)
        again = reader.decode(writer.encode(resource))
        assert json_text.encode(again) == body
        assert isinstance(again["valueQuantity"]["value"], int | Decimal)
