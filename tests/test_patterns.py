"""No regular expression of the gateway runs away: its steps grow as the text does.

All of them are looked at: those that modules compile, those that are written where they are used,
those of R4's primitive types and of its invariants. What comes from outside (a filter of a value
set) is run by an engine whose time is linear.
"""

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import pytest

import passerelle
from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.invariants import invariants
from passerelle.fhir.fhirpath import syntax
from passerelle.fhir.fhirpath.value_functions import pattern as of_fhirpath
from tests.regex_steps import STEPS_MAX, Matcher, annoying

TIMES = 20
"""As often a piece is said in the shorter text; twice as often in the longer one."""

GROWTH = 2.7
FEW = 400
"""Steps below which nothing is said of growth: a start that is tried a few dozen times."""

SEARCHING = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
MATCHING = frozenset({"match", "fullmatch"})
FUNCTIONS = SEARCHING | MATCHING | {"compile"}
ROOT = Path(passerelle.__file__).parent

MADE = {
    "fhir/conformance/primitives.py": "of R4's primitive types, from the table",
    "fhir/fhirpath/value_functions.py": "of a FHIRPath expression: those of R4's invariants",
    "fhir/search/phonetic.py": "of a table that stands beside it",
}
"""Modules that compile what is not written there, and what that is."""


NOT_RUN = {"base64Binary": "the decoder of base64 decides; the expression of R4 is not run"}
"""Types whose expression of R4 would run away."""


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def held(value: Any) -> Iterator["re.Pattern[Any]"]:
    """Give the patterns that a value is or holds."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from held(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from held(one)


@cache
def of_modules() -> tuple[tuple[str, str, "re.Pattern[Any]"], ...]:
    """Give (module, name, pattern) of all that modules hold."""
    names = [found.name for found in pkgutil.walk_packages(passerelle.__path__, "passerelle.")]
    return tuple(
        (module, name, one)
        for module in names
        if not module.endswith("__main__")
        for name, value in vars(importlib.import_module(module)).items()
        for one in held(value)
    )


def written() -> Iterator[tuple[str, str, Any, int]]:
    """Give (file, function, first argument, line) of all calls of functions of ``re``."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in FUNCTIONS
            ):
                file = path.relative_to(ROOT).as_posix()
                yield file, node.func.attr, node.args[0], node.lineno


@cache
def searched() -> frozenset[tuple[str, str]]:
    """Give (module, name) by which patterns are looked for anywhere in a text."""
    return frozenset(
        (_module(path), node.value.id)
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in SEARCHING
        and isinstance(node.value, ast.Name)
    )


def _module(path: Path) -> str:
    return ".".join(("passerelle", *path.relative_to(ROOT).with_suffix("").parts))


def of_invariants() -> Iterator["re.Pattern[str]"]:
    """Give the patterns that the invariants of R4 ask for."""
    waiting: list[Any] = [syntax.parse(one.expression) for one in invariants()]
    while waiting:
        node = waiting.pop()
        if isinstance(node, syntax.Call) and node.name in ("matches", "matchesFull"):
            yield of_fhirpath(node.arguments[0].items[0])
        if isinstance(node, tuple):
            waiting += node


@cache
def every() -> tuple[tuple[str, "re.Pattern[Any]", bool], ...]:
    """Give (where, pattern, whether it is looked for anywhere), each once."""
    found: dict[tuple[Any, int, bool], tuple[str, re.Pattern[Any], bool]] = {}

    def add(where: str, one: "re.Pattern[Any]", anywhere: bool) -> None:
        found.setdefault((one.pattern, one.flags, anywhere), (where, one, anywhere))

    for module, name, one in of_modules():
        anywhere = (module, name) in searched() or module.endswith("phonetic")
        add(f"{module}.{name}", one, anywhere)
    for file, function, told, line in written():
        if function != "compile":
            add(f"{file}:{line}", re.compile(ast.literal_eval(told)), function in SEARCHING)
    for kind, text in structure_table.patterns().items():
        if kind not in NOT_RUN:
            add(f"type {kind}", re.compile(text, re.ASCII), anywhere=False)
    for one in of_invariants():
        add("an invariant", one, anywhere=True)
    return tuple(found.values())


def worst(one: "re.Pattern[Any]", anywhere: bool) -> tuple[float, str]:
    """Give the largest growth of steps for twice the text, and what grows so."""
    matcher, found = Matcher(one), (0.0, "")
    for before, pump, last in annoying(matcher):
        steps = []
        for times in (TIMES, 2 * TIMES):
            text = before + pump * times + last
            steps.append(matcher.steps_on(text, anywhere=anywhere))
            if steps[-1] >= STEPS_MAX:
                return inf, f"{before!r} {pump!r} {last!r}: {steps}"
            demand_same(one, matcher, text, anywhere)
        if steps[1] > FEW:
            growth = steps[1] / steps[0]
            found = max(found, (growth, f"{before!r} {pump!r} {last!r}: {steps}"))
    return found


def demand_same(one: "re.Pattern[Any]", matcher: Matcher, text: str, anywhere: bool) -> None:
    """See that the matcher that counts finds what Python's own finds."""
    if anywhere or len(text) > 200:
        return
    given: Any = text
    if isinstance(one.pattern, bytes):
        if not text.isascii():
            return
        given = text.encode()
    assert matcher.found is (one.fullmatch(given) is not None), (one.pattern, text)


def test_every_pattern_is_looked_at() -> None:
    """A call of ``re`` names its pattern in full, or stands where a module is loaded."""
    sources = {one.pattern for _, one, _ in every()}
    elsewhere = set()
    for file, function, told, line in written():
        try:
            text = ast.literal_eval(told)
        except ValueError:  # made of parts
            if function != "compile" or file in MADE:
                elsewhere.add(file)
            continue
        assert text in sources, (file, line)
    assert elsewhere == set(MADE)
    assert len(every()) > 170


@pytest.fixture
def deep() -> Iterator[None]:
    """The matcher calls itself for each character."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("deep")
def test_the_steps_of_every_pattern_grow_as_the_text_does() -> None:
    running = {}
    for where, one, anywhere in every():
        growth, told = worst(one, anywhere)
        if growth > GROWTH:
            running[where] = (one.pattern, told)
    assert running == {}


@pytest.mark.usefixtures("deep")
@pytest.mark.parametrize(
    ("text", "anywhere"),
    [
        (r"(a+)+$", False),
        (r"(a|a)*b", False),
        (r"(.*)*x", False),
        (r"(a|aa)+b", False),
        (r"\s*,?\s*;", False),
        (r"[a-z]+[a-z0-9]+!", False),
        (r"<[^>]*>", True),
        (r"\S*@\S*", True),
        (r"\s+\d", True),
    ],
)
def test_a_pattern_that_runs_away_is_found_out(text: str, anywhere: bool) -> None:
    growth, _ = worst(re.compile(text), anywhere)
    assert growth > GROWTH
