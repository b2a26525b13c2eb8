"""The published tests of FHIRPath for R4: all that is compiled answers as they say."""

import tarfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from passerelle.fhir.fhirpath.compiler import compile_expression
from passerelle.fhir.fhirpath.nodes import resource_node, value_of
from passerelle.fhir.fhirpath.operators import CannotEvaluate, truth
from passerelle.fhir.fhirpath.syntax import NotFhirPath
from passerelle.fhir.fhirpath.value_functions import text_of
from passerelle.fhir.json_text import decode

UNTYPED = "a name that the type does not have is empty, not an error: nothing is checked by type"
QUANTITIES = "units are compared with their like; they are not multiplied or rounded"
MOVED = "a date plus a quantity is not computed"
OTHER_EXAMPLE = "the published example has no such extension"

DIFFERENT = {
    "testSimpleFail": UNTYPED,
    "testSimpleWithWrongContext": UNTYPED,
    "testPolymorphismB": UNTYPED,
    "testPolymorphismAsB": UNTYPED,
    "testPolymorphicsB": UNTYPED,
    "testDollarOrderNotAllowed": "children have an order here: that of the definition",
    "testQuantityLiteralWeekToString": "a week is written with its UCUM code",
    "testQuantity4": QUANTITIES,
    "testQuantity9": QUANTITIES,
    "testQuantity10": QUANTITIES,
    "testQuantity11": QUANTITIES,
    "testNEquality24": "pounds are not made kilograms: no answer rather than true",
    "testIif6": "one value that is no boolean is true, in iif as everywhere",
    "testFHIRPathAsFunction21": "as() keeps those of the type, as R4's own invariant dom-3 needs",
    "testFHIRPathIsFunction8": OTHER_EXAMPLE,
    "testFHIRPathIsFunction9": OTHER_EXAMPLE,
    "testFHIRPathIsFunction10": OTHER_EXAMPLE,
    **{f"testPlusDate{number}": MOVED for number in (*range(1, 14), 15, *range(18, 23))},
    "testMinus5": MOVED,
}
"""Tests that answer otherwise here, and why."""

REFUSED = {
    "function lowBoundary() is not compiled here": 28,
    "function highBoundary() is not compiled here": 24,
    "function type() is not compiled here": 13,
    "function sort() is not compiled here": 10,
    "function precision() is not compiled here": 5,
    "function today() is not compiled here": 4,
    "function now() is not compiled here": 4,
    "function encode() is not compiled here": 4,
    "function decode() is not compiled here": 4,
    "function power() is not compiled here": 3,
    "function comparable() is not compiled here": 3,
    "function escape() is not compiled here": 2,
    "function unescape() is not compiled here": 2,
    "function conformsTo() is not compiled here": 2,
    "unknown variable %vs-administrative-gender": 1,
    "unknown variable %ext-patient-birthTime": 1,
    "no type System.Patient": 1,
}
"""What is refused when it is read, and how many tests ask for it."""


def examples(shared: Path) -> dict[str, Any]:
    """Give the examples of R4 that are at hand, by the lower case of their file names."""
    found = {}
    with tarfile.open(shared / "data/r4-examples/r4-examples-half.tgz") as archive:
        for member in archive.getmembers():
            name = member.name.rpartition("/")[2].lower()
            if name in WANTED:
                file = archive.extractfile(member)
                assert file is not None
                found[name] = resource_node(decode(file.read()))
    return found


WANTED = {"patient-example.json", "observation-example.json", "appointment-examplereq.json"}
NOTHING = resource_node({"resourceType": "Basic"})


def expected(test: ET.Element) -> list[str]:
    """Give the answers that a test wants, as text."""
    texts = []
    for output in test.findall("output"):
        text = (output.text or "").removeprefix("@")
        texts.append(text.removeprefix("T") if output.get("type") == "time" else text)
    return texts


def outcome(test: ET.Element, node: Any) -> str:
    """Run one test: ``right``, ``wrong``, or the reason why it was refused when it was read."""
    expression = test.find("expression")
    assert expression is not None
    invalid = expression.get("invalid")
    try:
        items = compile_expression(expression.text or "").evaluate(node)
    except NotFhirPath as refusal:
        return "right" if invalid else str(refusal)
    except CannotEvaluate:
        return "right" if invalid else "wrong"
    if invalid:
        return "wrong"
    if test.get("predicate") == "true":
        told = ["true" if items and truth(items[:1]) else "false"]
    else:
        told = [str(text_of(value_of(item))) for item in items]
    return "right" if told == expected(test) else "wrong"


def test_what_is_compiled_answers_as_the_published_tests_say(shared: Path) -> None:
    root = ET.parse(shared / "data/fhir-test-cases/tests-fhir-r4.xml").getroot()
    nodes = examples(shared)
    counted: Counter[str] = Counter()
    different = set()
    for test in root.iter("test"):
        name = (test.get("inputfile") or "").lower().replace(".xml", ".json")
        node = nodes.get(name) if name else NOTHING
        told = "without its example" if node is None else outcome(test, node)
        counted[told] += 1
        if told == "wrong":
            different.add(test.get("name"))
    assert different == set(DIFFERENT)
    assert counted.pop("right") >= 760
    assert counted.pop("wrong") == len(DIFFERENT)
    assert counted.pop("without its example") == 27
    assert counted == REFUSED


@pytest.mark.parametrize(
    "text", ["", "a.", "a..b", "(a", "a and", "'open", "a b", "%nobody", "memberOf('x')", "a[0"]
)
def test_what_is_no_expression_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(NotFhirPath):
        compile_expression(text)


@pytest.mark.parametrize("text", ["(" * 5000 + "1", "not(" * 300, "1" + "+1" * 6000, "- " * 2000])
def test_an_expression_is_bounded_in_length_and_in_depth(text: str) -> None:
    with pytest.raises(NotFhirPath):
        compile_expression(text)
