"""What an operation takes in: declared inputs, read from a URL or from a Parameters resource.

https://hl7.org/fhir/R4/operations.html#executing , https://hl7.org/fhir/R4/parameters.html .
An operation declares its inputs; reading them tells all faults at once.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.conformance import structure
from passerelle.fhir.conformance.primitives import fault
from passerelle.fhir.resource import Resource

TEXTS = ("String", "Code", "Uri", "Canonical", "Url", "Id", "Oid", "Uuid", "Markdown")
MOMENTS = ("Date", "DateTime", "Instant", "String")
SPELLINGS: dict[str, tuple[str, ...]] = {
    "string": TEXTS,
    "code": TEXTS,
    "uri": TEXTS,
    "canonical": TEXTS,
    "date": MOMENTS,
    "dateTime": MOMENTS,
    "instant": MOMENTS,
    "boolean": ("Boolean",),
    "integer": ("Integer", "PositiveInt", "UnsignedInt"),
    "decimal": ("Decimal", "Integer"),
}
"""The ``value[x]`` that are read for a kind of input; other kinds are spelled as they are named.

A moment may be as precise as its sender likes.
"""

BODY_ONLY = re.compile(r"[A-Z]|part\Z")
"""Kinds that no URL can hold: datatypes, resources, parts."""


class Input(NamedTuple):
    """One input: its name, its kind, how many are taken (None: any number), whether it must be.

    ``kind`` is a primitive type of ``SPELLINGS``, a datatype (``Coding``), ``Resource``, or
    ``part`` (a parameter that holds parameters, given as the list of them).
    """

    name: str
    kind: str = "string"
    max: int | None = 1
    required: bool = False


class Inputs(NamedTuple):
    """What was given: values by name, the faults, the names that nobody declared."""

    values: Mapping[str, list[Any]]
    faults: tuple[Issue, ...]
    unknown: tuple[str, ...]


class _Given(NamedTuple):
    name: str
    kind: str  # of value[x], capitalised; "url" for one of a query
    value: Any
    place: str


def read(
    declared: Sequence[Input], pairs: Sequence[tuple[str, str]], body: Resource | None
) -> Inputs:
    """Read the declared inputs from the pairs of a query and from a Parameters resource.

    Nothing is raised: what is at fault is told in ``faults``, each with its place in the body.
    """
    # The resources in it are left to the operation: one of them asks to be told what is wrong.
    faults = [] if body is None else structure.check(body, entries=False)
    if faults:
        return Inputs({}, tuple(faults), ())
    by_name = {each.name: each for each in declared}
    values: dict[str, list[Any]] = {}
    unknown: list[str] = []
    for given in (*_of_query(pairs), *_of_body(body)):
        asked = by_name.get(given.name)
        if asked is None:
            unknown.append(given.name)
            continue
        value = _value(asked.kind, given)
        if value is None:
            place, kind = given.place, asked.kind
            faults.append(issue("operation.input-malformed", place, name=asked.name, kind=kind))
            continue
        values.setdefault(asked.name, []).append(value)
    faults.extend(_cardinality_faults(declared, values, faults))
    return Inputs(values, tuple(faults), tuple(dict.fromkeys(unknown)))


def of_resource(resource: Resource, name: str = "resource") -> Resource:
    """Wrap a bare resource as the Parameters that it stands for."""
    parameter = [{"name": name, "resource": resource}]
    return {"resourceType": "Parameters", "parameter": parameter}


def holds(body: Resource, name: str) -> bool:
    """Tell whether a Parameters resource has a parameter of that name; it may be malformed."""
    listed = body.get("parameter")
    return isinstance(listed, list) and any(
        isinstance(each, dict) and each.get("name") == name for each in listed
    )


def _of_query(pairs: Sequence[tuple[str, str]]) -> Iterator[_Given]:
    for name, value in pairs:
        yield _Given(name, "url", value, name if name.isidentifier() else "?")


def _of_body(body: Resource | None) -> Iterator[_Given]:
    for number, each in enumerate((body or {}).get("parameter", ())):
        place = f"Parameters.parameter[{number}]"
        if "resource" in each:
            yield _Given(each["name"], "Resource", each["resource"], place + ".resource")
        elif "part" in each:
            yield _Given(each["name"], "part", each["part"], place)
        else:
            found = next((name for name in each if name.startswith("value")), "value")
            yield _Given(each["name"], found[5:], each.get(found), f"{place}.value")


def _value(kind: str, given: _Given) -> Any:
    """Give the value of an input as its kind has it; None when it is not of that kind."""
    if given.kind == "url":
        return None if BODY_ONLY.match(kind) else _from_text(kind, given.value)
    if given.kind not in SPELLINGS.get(kind, (kind,)):
        return None
    if isinstance(given.value, str) and kind in SPELLINGS:
        return _from_text(kind, given.value)
    return given.value


def _from_text(kind: str, text: str) -> Any:
    """Read a primitive from its text; None when it is not spelled as one."""
    reading = _READINGS.get(kind)
    if reading is not None:
        return reading(text)
    written_as = "dateTime" if SPELLINGS[kind] is MOMENTS else kind
    return text if fault(written_as, text) is None else None


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else None


_READINGS: dict[str, Callable[[str], Any]] = {"boolean": _boolean, "integer": _integer}


def _cardinality_faults(
    declared: Sequence[Input], values: Mapping[str, list[Any]], said: Sequence[Issue]
) -> Iterator[Issue]:
    malformed = any(each.rule == "operation.input-malformed" for each in said)
    for each in declared:
        count = len(values.get(each.name, ()))
        if each.required and not count and not malformed:
            yield issue("operation.input-missing", "Parameters.parameter", name=each.name)
        if each.max is not None and count > each.max:
            yield issue(
                "operation.input-repeated", "Parameters.parameter", name=each.name, max=each.max
            )
