"""The expressions of search parameters as Python functions.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression . They are a
small part of FHIRPath (http://hl7.org/fhirpath/N1/): a path, ``(x as T)``, ``where(a='b')``,
``where(resolve() is T)``, ``extension('url')``, ``x.exists() and x != false``. Each is read once
and becomes closures over lists of nodes; nothing is interpreted while a resource is indexed.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from passerelle.fhir.references import target_type

Nodes: TypeAlias = list[Any]
Step: TypeAlias = Callable[[Nodes], Nodes]

_STEP = re.compile(
    r"where\(resolve\(\) is (?P<resolves>\w+)\)"
    r"|where\((?P<member>\w+)='(?P<literal>[^']*)'\)"
    r"|extension\('(?P<url>[^']*)'\)"
    r"|(?P<name>\w+)(?!\()"
)
_AS = re.compile(r"\((?P<path>[\w.]+) as (?P<type>\w+)\)")
_TRUTH = re.compile(r"(?P<path>[\w.]+)\.exists\(\) and (?P=path) != false")


class Path(NamedTuple):
    """One alternative: the first element below the resource and what leads on from it.

    ``first`` may be the start of a choice, of which ``Path`` names the spelled element
    (``deceasedDateTime``). ``truth`` asks for a boolean of the nodes, even when there are none.
    """

    first: str
    steps: tuple[Step, ...]
    truth: bool = False


def _child(name: str) -> Step:
    """Make the step to an element."""

    def step(nodes: Nodes) -> Nodes:
        found: Nodes = []
        for node in nodes:
            if type(node) is dict:
                value = node.get(name)
                if type(value) is list:
                    found += value
                elif value is not None:
                    found.append(value)
        return found

    return step


def _choice(name: str) -> Step:
    """Make the step to an element of any type: ``value`` to ``valueString``, ``valueBoolean`` …"""

    def step(nodes: Nodes) -> Nodes:
        return [
            value
            for node in nodes
            if type(node) is dict
            for key, value in node.items()
            if key.startswith(name) and key[len(name) : len(name) + 1].isupper()
        ]

    return step


def _where(member: str, literal: str) -> Step:
    """Make the step that keeps the nodes whose member is a literal."""

    def step(nodes: Nodes) -> Nodes:
        return [node for node in nodes if type(node) is dict and node.get(member) == literal]

    return step


def _resolves(wanted: str) -> Step:
    """Make the step that keeps the references to a type."""

    def step(nodes: Nodes) -> Nodes:
        return [node for node in nodes if type(node) is dict and target_type(node) == wanted]

    return step


def _extension(url: str) -> tuple[Step, ...]:
    return (_child("extension"), _where("url", url))


def _steps(text: str) -> tuple[Step, ...]:
    """Read what follows the first element of a path; raises ValueError for another shape."""
    steps: list[Step] = []
    place, valued = 0, False
    while place < len(text):
        match = _STEP.match(text, place)
        if match is None:
            raise ValueError(f"not a shape of search expression: {text}")
        if match["resolves"]:
            steps.append(_resolves(match["resolves"]))
        elif match["member"]:
            steps.append(_where(match["member"], match["literal"]))
        elif match["url"]:
            steps.extend(_extension(match["url"]))
        else:
            steps.append(_choice("value") if valued else _child(match["name"]))
        valued = match["url"] is not None
        place = match.end() + 1
        if place <= len(text) and text[match.end()] != ".":
            raise ValueError(f"not a shape of search expression: {text}")
    return tuple(steps)


def _alternative(text: str) -> Path:
    """Read one alternative, ``Type.element…``."""
    truth = _TRUTH.fullmatch(text)
    if truth is not None:
        return Path(truth["path"].split(".", 1)[1], (), truth=True)
    cast = _AS.fullmatch(text)
    if cast is not None:
        first = cast["path"].split(".", 1)[1]
        return Path(first + cast["type"][0].upper() + cast["type"][1:], ())
    rest = text.split(".", 1)[1]
    if rest.startswith("extension("):
        url = _STEP.match(rest)
        assert url is not None
        tail = rest[url.end() :]
        following = (_choice("value"),) if tail == ".value" else _steps(tail.lstrip("."))
        return Path("extension", (_where("url", url["url"]), *following))
    first, _, tail = rest.partition(".")
    if not first.isidentifier():
        raise ValueError(f"not a shape of search expression: {text}")
    return Path(first, _steps(tail))


def compile_expression(expression: str) -> tuple[Path, ...]:
    """Give the alternatives of an expression as paths; raises ValueError for another shape."""
    return tuple(_alternative(part.strip()) for part in expression.split("|"))
