"""Whatever comes in, reading and checking answer: with a resource, or with a refusal."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.structure import ISSUES_MAX, check
from passerelle.fhir.conformance.structure_table import Kind
from passerelle.fhir.json_places import located
from passerelle.fhir.json_text import decode, encode
from tests.fhir.mutations import MUTATIONS, mutated
from tests.fhir.test_structure_readers import grown

EVERY = sorted(structure_table.resource_types())


def answered(body: bytes) -> list[str]:
    """Read and check a body; give the rules that it breaks. Anything but a refusal is a fault."""
    try:
        found = tuple(check(decode(body)))
    except Invalid as refusal:
        found = refusal.issues
    assert len(located(body, found)) == len(found) <= ISSUES_MAX + 1
    return [one.rule for one in found]


def parsing_tests(shared: Path, kind: str) -> Iterator[tuple[str, bytes]]:
    """Give name and bytes of the published tests of JSON parsers, by what is expected of them."""
    for path in sorted((shared / "data/json/test_parsing").glob(f"{kind}_*.json")):
        yield path.name, path.read_bytes()


def test_what_is_no_json_is_refused(shared: Path) -> None:
    names = [name for name, _ in parsing_tests(shared, "n")]
    assert len(names) > 180
    for name, body in parsing_tests(shared, "n"):
        with pytest.raises(Invalid):
            decode(body)
        assert answered(body), name


def test_what_is_json_or_may_be_is_answered_also_within_a_resource(shared: Path) -> None:
    for kind in ("y", "i"):
        for _, body in parsing_tests(shared, kind):
            answered(body)
            answered(b'{"resourceType":"Patient","name":' + body + b"}")
            answered(b'{"resourceType":"Patient","extension":[' + body + b"]}")


XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def naughty(shared: Path) -> list[str]:
    """Give the strings that have broken programs."""
    texts: list[str] = json.loads((shared / "data/json/naughty-strings.json").read_text("utf-8"))
    return texts


def test_strings_that_have_broken_programs_are_answered(shared: Path) -> None:
    texts = naughty(shared)
    assert len(texts) > 400
    for text in texts:
        everywhere = {
            "resourceType": "Patient",
            "id": text,
            "language": text,
            "birthDate": text,
            "name": [{"text": text, "given": [text]}],
            "text": {
                "status": text,
                "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>',
            },
            "extension": [
                {"url": text, "valueBase64Binary": text},
                {"url": text, "valueOid": text},
            ],
            "link": [{"other": {"reference": text, "type": text}, "type": text}],
            "photo": [{"contentType": text, "data": text, "url": text, "creation": text}],
            "communication": [{"language": {"coding": [{"system": text, "code": text}]}}],
            text: text,
        }
        answered(encode(everywhere))
        path = {"resourceType": "StructureDefinition", "url": text, "name": text, "type": text}
        element = {"path": text, "id": text, "max": text, "sliceName": text, "min": 1}
        answered(encode({**path, "snapshot": {"element": [element, element]}}))


def patient(**members: Any) -> bytes:
    return encode({"resourceType": "Patient", **members})


PATIENT, FORM, BUNDLE = (
    b'{"resourceType":"%s",' % name for name in (b"Patient", b"Questionnaire", b"Bundle")
)
HUGE: dict[str, Callable[[], bytes]] = {
    "deep objects": lambda: b'{"a":' * 200_000,
    "deep arrays": lambda: b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep extensions": lambda: _nested(PATIENT + b'"extension":[', b'{"extension":['),
    "deep items": lambda: _nested(FORM + b'"item":[', b'{"item":['),
    "deep contained": lambda: _nested(PATIENT + b'"contained":[', PATIENT + b'"contained":['),
    "deep bundles": lambda: _nested(BUNDLE + b'"entry":[{"resource":', BUNDLE + b'"entry":['),
    "many members": lambda: patient(**{f"a{number}": 1 for number in range(20_000)}),
    "many items": lambda: patient(name=[{"x": 1}] * 50_000),
    "many nulls": lambda: patient(name=[None] * 100_000),
    "a long number": lambda: PATIENT + b'"multipleBirthInteger":' + b"9" * 10**6 + b"}",
    "a long fraction": lambda: PATIENT + b'"a":0.' + b"1" * 10**6 + b"}",
    "a large exponent": lambda: PATIENT + b'"a":1e999999999}',
    "a long string": lambda: patient(name=[{"text": "a" * 3_000_000}]),
    "a long code": lambda: patient(language="a " * 500_000),
    "a long base64": lambda: patient(photo=[{"data": "AAAA " * 200_000}]),
    "a long id": lambda: patient(id="a" * 10**6),
    "a long name": lambda: patient(**{"a" * 10**6: 1}),
    "a long oid": lambda: patient(
        extension=[{"url": "urn:a", "valueOid": "urn:oid:1" + ".1" * 10**5}]
    ),
    "a long reference": lambda: patient(link=[{"other": {"reference": "http://" + "a/" * 10**5}}]),
    "a long narrative": lambda: patient(text={"div": "<div>" + "<b>" * 10**5 + "&a;" * 10**5}),
    "many elements of one path": lambda: _definition("element", 2_000),
    "many codes": lambda: encode(
        {"resourceType": "CodeSystem", "concept": [{"code": str(n)} for n in range(5_000)]}
    ),
    "many codings twice": lambda: _observation(1_500),
    "many groups of a guide": lambda: _guide(3_000),
}


def _nested(start: bytes, again: bytes) -> bytes:
    """Open again and again as deep as is read at all, and close."""
    opening = start + again * 40
    closing = opening.translate(bytes.maketrans(b"{[", b"}]"), bytes(set(range(256)) - set(b"{[")))
    return opening + closing[::-1]


def _definition(name: str, count: int) -> bytes:
    elements = [{"path": "A" if n == 0 else f"A.b{n}", "id": str(n)} for n in range(count)]
    held = {name: elements}
    return encode({"resourceType": "StructureDefinition", "snapshot": held, "differential": held})


def _observation(count: int) -> bytes:
    coded = {"coding": [{"code": str(n)} for n in range(count)]}
    others = {"code": {"coding": [{"code": "a"}]}}
    return encode(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": coded,
            "valueInteger": 1,
            "component": [others] * count,
        }
    )


def _guide(count: int) -> bytes:
    groups = [{"id": str(n), "name": "a"} for n in range(count)]
    resources = [{"reference": {"reference": "Patient/1"}, "groupingId": "x"}] * count
    guide = {"grouping": groups, "resource": resources}
    return encode({"resourceType": "ImplementationGuide", "definition": guide})


@pytest.mark.parametrize("name", HUGE)
def test_what_is_huge_is_answered_within_bounds(name: str) -> None:
    answered(HUGE[name]())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered(body: bytes) -> None:
    assert answered(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.just("Patient"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceType", "name", "id", "value"]), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(EVERY), st.randoms(use_true_random=False), json_values)
def test_any_json_in_the_place_of_any_element_is_answered(
    name: str, random: Random, value: Any
) -> None:
    members = list(structure_table.members(name))
    answered(encode({"resourceType": name, **{random.choice(members): value for _ in range(4)}}))


HAMMERED = 1_000
"""Resources of the nightly run, each spoiled up to six times: some minutes of one processor."""


def hammer(name: str, random: Random) -> list[int]:
    """Spoil a resource again and again; give how many faults were told each time."""
    resource = grown(random, Kind(name), depth=1)
    told = []
    for _ in range(6):
        resource = mutated(random, resource, random.choice(sorted(MUTATIONS)))
        told.append(len(answered(encode(resource))))
        if not resource:
            break
    return told


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EVERY), st.randoms(use_true_random=False))
def test_what_is_spoiled_again_and_again_is_answered(name: str, random: Random) -> None:
    hammer(name, random)


@pytest.mark.nightly
def test_what_is_spoiled_is_answered_at_length() -> None:
    counted: Counter[str] = Counter()

    @settings(max_examples=HAMMERED, deadline=None)
    @given(st.sampled_from(EVERY), st.randoms(use_true_random=False))
    def hammered(name: str, random: Random) -> None:
        told = hammer(name, random)
        counted.update(
            {
                "resources": 1,
                "texts": len(told),
                "refused": sum(map(bool, told)),
                "faults": sum(told),
            }
        )

    hammered()
    print(f"\nstructure, spoiled: {dict(counted)}")
    assert counted["texts"] > HAMMERED
    assert 0 < counted["refused"] <= counted["texts"]
