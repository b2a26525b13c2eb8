"""A SearchParameter resource as parameters of the record, or why it cannot be one.

https://hl7.org/fhir/R4/searchparameter.html . An active SearchParameter becomes one parameter for
each type of its ``base``. Those of R4 itself are in the table already, whatever a package says.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from passerelle.errors.refusals import Issue, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.resource import Resource
from passerelle.fhir.search import extraction
from passerelle.fhir.search.expressions import Path, compile_expression
from passerelle.fhir.search.registry import Added, Registry
from passerelle.fhir.search.search_parameters import (
    ANY,
    CORE_URL,
    KINDS,
    TYPES_WITH_PARAMETERS,
    Component,
    Kind,
    Parameter,
    indexed,
)

EXPRESSION_MAX = 4_000
PARTS_MAX = 200
"""Names, functions and operators of the expression of one type: what indexing a resource costs."""

ADDED_MAX = 2_000
"""Parameters that may be added to one record."""

BASES_MAX = 200
PLACE = "SearchParameter"

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,63}")
_PART = re.compile(r"'[^']*'|[A-Za-z_]\w*|!=|[=|]")
_TYPED = re.compile(r"\(*(?P<type>[A-Z]\w*)\b")
_KINDS = frozenset(KINDS) - {"special"}
_PLAIN = frozenset(
    ("boolean", "code", "id", "string", "unsignedInt", "positiveInt", "integer", "uri")
)
"""Data types of a token that carries no system of its own."""


class Read(NamedTuple):
    """The parameters that a SearchParameter stands for, without ids; the reasons why not.

    ``there`` are those that the table of every record has already.
    """

    parameters: tuple[Parameter, ...] = ()
    faults: tuple[Issue, ...] = ()
    there: tuple[Parameter, ...] = ()
    url: str = ""
    code: str = ""
    kind: str = ""


def read(definition: Resource, taken: Mapping[tuple[str, str], str] | None = None) -> Read:
    """Read a SearchParameter whose structure is sound; what is not active stands for none.

    ``taken`` gives the addresses of the added parameters that are there by type and code: a code
    that another one has is a fault.
    """
    url = definition.get("url")
    if definition.get("status") != "active" or not isinstance(url, str):
        return Read()
    if url.startswith(CORE_URL):
        return Read()
    told = (url, str(definition.get("code", "")), str(definition.get("type", "")))
    faults = list(_faults_of_form(definition))
    if faults:
        return Read((), tuple(faults), (), *told)
    made: list[Parameter] = []
    for number, type_ in enumerate(dict.fromkeys(definition.get("base", ())[:BASES_MAX])):
        try:
            found = _of_base(definition, type_, f"{PLACE}.base[{number}]", taken or {})
        except _Fault as fault:
            faults.append(fault.issue)
            continue
        made.append(found)
    if faults:
        return Read((), tuple(faults), (), *told)
    new = tuple(each for each in made if not each.id)
    return Read(new, (), tuple(each for each in made if each.id), *told)


def faults(definition: Resource, registry: Registry) -> tuple[Issue, ...]:
    """Tell why a SearchParameter cannot be one of a record that has those already."""
    taken = taken_by(registry)
    found = read(definition, taken)
    new = sum(1 for each in found.parameters if (each.type, each.code) not in taken)
    if new and len(taken) + new > ADDED_MAX:
        return (*found.faults, issue("parameter.too-many", PLACE, limit=ADDED_MAX))
    return found.faults


def taken_by(registry: Registry) -> dict[tuple[str, str], str]:
    """Give the addresses of the added parameters of a registry by type and code."""
    return {
        (each.parameter.type, each.parameter.code): each.parameter.url for each in registry.added
    }


@lru_cache(maxsize=2 * ADDED_MAX)
def read_body(body: bytes) -> Read:
    """Read a SearchParameter as it is stored; what cannot be read at all stands for none."""
    try:
        return read(json_text.decode(body))
    except (PasserelleError, TypeError, ValueError, AttributeError, LookupError):
        return Read()  # a package's, which is kept as published


def kept_of(wanted: Iterable[Parameter], kept: Iterable[Parameter]) -> list[Parameter]:
    """Give one of the wanted parameters for each type and code.

    Where several claim a code, one that is in use already (``kept``, ids left aside) goes first,
    then the first one.
    """
    in_use = {parameter._replace(id=0) for parameter in kept}
    found: dict[tuple[str, str], Parameter] = {}
    for each in sorted(wanted, key=lambda one: one not in in_use):
        pair = (each.type, each.code)
        if pair not in found and not _clashes(each, found):
            found[pair] = each
    return list(found.values())


class _Spelled(NamedTuple):
    """A definition as it is kept."""

    parameter: Parameter


@lru_cache(maxsize=2 * ADDED_MAX)
def dump(parameter: Parameter) -> bytes:
    """Write a definition to be kept; its id is left out."""
    return msgspec.json.encode(_Spelled(parameter._replace(id=0)))


@lru_cache(maxsize=2 * ADDED_MAX)
def load(definition: bytes) -> Parameter:
    """Read a definition that was kept; its id is 0."""
    return msgspec.json.decode(definition, type=_Spelled).parameter


class _Fault(Exception):
    """Why a SearchParameter cannot be one of ours."""

    def __init__(self, said: Issue) -> None:
        super().__init__(said.rule)
        self.issue = said


def _faults_of_form(definition: Resource) -> Iterator[Issue]:
    """Give what is wrong whatever the type is."""
    kind, expression = definition.get("type"), definition.get("expression")
    if not _CODE.fullmatch(str(definition.get("code"))):
        yield issue("parameter.code-not-usable", f"{PLACE}.code")
    if kind not in _KINDS:
        yield issue("parameter.kind-not-supported", f"{PLACE}.type")
    if not isinstance(expression, str) or not expression.strip():
        yield issue("parameter.expression-missing", PLACE)
    elif len(expression) > EXPRESSION_MAX:
        yield _too_long()
    if not definition.get("base"):
        yield issue("parameter.base-not-supported", PLACE)


def _too_long() -> Issue:
    slug, place = "parameter.expression-too-long", f"{PLACE}.expression"
    return issue(slug, place, limit=EXPRESSION_MAX, parts=PARTS_MAX)


def _of_base(
    definition: Resource, type_: str, place: str, taken: Mapping[tuple[str, str], str]
) -> Parameter:
    """Make the parameter of a type; that of the table when it has it already. Raises _Fault."""
    url, code, kind = definition["url"], definition["code"], definition["type"]
    if type_ != ANY and type_ not in resource_types():
        raise _Fault(issue("parameter.base-not-supported", place))
    there = indexed(type_).get(code)
    if there is not None and there.url == url:
        return there
    expression = " | ".join(_alternatives(definition["expression"], type_))
    if len(_PART.findall(expression)) > PARTS_MAX:
        raise _Fault(_too_long())
    try:
        ways = compile_expression(type_, expression) if expression else ()
    except (ValueError, LookupError, RecursionError):
        ways = ()
    if not ways:
        where = f"{PLACE}.expression"
        raise _Fault(issue("parameter.expression-not-understood", where, type=type_))
    made = Parameter(
        0,
        type_,
        code,
        kind,
        expression,
        tuple(sorted(definition.get("target", ()))) or (ANY,) if kind == "reference" else (),
        url,
        "" if kind == "token" and _is_plain(ways) else None,
        _components(definition, type_) if kind == "composite" else (),
    )
    _demand_free(made, place, taken)
    _demand_compiled(made)
    return made


def _demand_free(made: Parameter, place: str, taken: Mapping[tuple[str, str], str]) -> None:
    """Raise _Fault when another parameter of the type has the code."""
    types = (made.type, ANY) if made.type != ANY else (ANY, *TYPES_WITH_PARAMETERS)
    others = {taken.get((type_, made.code), made.url) for type_ in types}
    if made.type == ANY:
        others |= {url for (_, code), url in taken.items() if code == made.code}
    if others != {made.url} or any(made.code in indexed(type_) for type_ in types):
        raise _Fault(issue("parameter.code-taken", place, code=made.code, type=made.type))


def _demand_compiled(made: Parameter) -> None:
    """Raise _Fault when the parts of a composite cannot be followed."""
    if made.kind != "composite":
        return
    try:
        extraction.extract_added(
            {"resourceType": made.type}, Registry(added=(Added(made, ready=False),))
        )
    except (ValueError, LookupError, RecursionError):
        where = f"{PLACE}.component"
        raise _Fault(issue("parameter.component-not-understood", where)) from None


def _components(definition: Resource, type_: str) -> tuple[Component, ...]:
    """Give the parts of a composite. Raises _Fault for one that the table does not define."""
    parts: list[Component] = []
    known = {each.url: each for each in indexed(type_).values()}
    for number, each in enumerate(definition.get("component", ())):
        place = f"{PLACE}.component[{number}]"
        defined = known.get(str(each.get("definition")).partition("|")[0])
        if defined is None or defined.kind in ("composite", "special"):
            raise _Fault(issue("parameter.component-not-understood", place))
        kind: Kind = defined.kind
        parts.append(Component(kind, str(each.get("expression")), defined.id))
    if not 2 <= len(parts) <= 3:
        raise _Fault(issue("parameter.component-not-understood", f"{PLACE}.component"))
    return tuple(parts)


def _clashes(one: Parameter, found: Mapping[tuple[str, str], Any]) -> bool:
    """Tell whether a code is taken by a parameter of every type, or wants to be one itself."""
    if one.type == ANY:
        return any(code == one.code for _, code in found)
    return (ANY, one.code) in found


def _is_plain(ways: tuple[Path, ...]) -> bool:
    """Tell whether the values at the ends carry no system."""
    ends = [name for way in ways for name, _ in way.types]
    return bool(ends) and all(name in _PLAIN for name in ends)


def _alternatives(expression: str, type_: str) -> Iterator[str]:
    """Give the alternatives of an expression that speak of a type."""
    for part in _parts(expression):
        typed = _TYPED.match(part)
        if typed is None or typed["type"] in (type_, ANY, "DomainResource"):
            yield part


def _parts(expression: str) -> Iterator[str]:
    """Take the unions at the top apart, texts and parentheses left whole."""
    depth, quoted, start = 0, "", 0
    for place, letter in enumerate(expression):
        if quoted:
            quoted = "" if letter == quoted else quoted
        elif letter in "'\"`":
            quoted = letter
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "|" and depth == 0:
            yield expression[start:place].strip()
            start = place + 1
    yield expression[start:].strip()
