"""The parameters of a search that shape its result: page, order, included resources, total.

https://hl7.org/fhir/R4/search.html#Summary , https://hl7.org/fhir/R4/search.html#sort ,
https://hl7.org/fhir/R4/search.html#revinclude
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from passerelle.errors.rules import issue
from passerelle.fhir.search.language.criterion import Refused
from passerelle.fhir.search.language.reading import Reading
from passerelle.fhir.search.search_parameters import (
    ANY,
    PHONETIC,
    TYPES_WITH_PARAMETERS,
    Parameter,
    parameters,
)

COUNT_DEFAULT = 50
COUNT_MAX = 1000
SORT_MAX = 5
INCLUDES_MAX = 20
CURSOR_LENGTH_MAX = 4000

SORTED_KINDS = frozenset({"date", "string", "token", "number", "quantity", "uri", "reference"})

IGNORED = frozenset({"_format", "_pretty"})
"""They speak of the form of the answer, which is not decided here."""

NOT_SUPPORTED = frozenset(
    {
        *("_elements", "_contained", "_containedType", "_score", "_summary", "_sort", "_count"),
        *("_include", "_revinclude", "_total", "_type", "_cursor"),
    }
)
"""Of the standard but not answered, or not with a modifier: leaving them out would lie."""

ALL = "*"
_INCLUDE = re.compile(
    r"(?P<type>[A-Za-z]{1,64}):(?P<code>\*|[A-Za-z0-9_\-]{1,64})(?::(?P<target>[A-Za-z]{1,64}))?"
)
_CONTAINED = {"_contained": ("false", "true", "both"), "_containedType": ("container", "contained")}
"""By name: the values of the standard, the default first."""

_ITERATES = (":iterate", ":recurse")
_COUNT = re.compile(r"[0-9]{1,9}")


class Sort(NamedTuple):
    """One sort key; a value that is missing comes last either way."""

    parameter: Parameter
    descending: bool = False

    def __str__(self) -> str:
        """Spell it as in `_sort`."""
        return ("-" if self.descending else "") + self.parameter.code


class Include(NamedTuple):
    """``Type:param[:target]`` of `_include` (along the reference) or `_revinclude` (against it).

    ``parameters`` are the references that are followed, several for a wildcard. ``iterate`` says
    that what was included is followed as well.
    """

    spelled: str
    parameters: tuple[Parameter, ...]
    target: str | None = None
    iterate: bool = False

    def __str__(self) -> str:
        """Spell it as in `_include`."""
        return self.spelled


@dataclass(slots=True)
class Results:
    """The parameters of the result of a search as they are read; see ``Query``.

    ``types`` are those that are searched, none for all of them.
    """

    types: tuple[str, ...]
    reading: Reading
    given: dict[str, Any] = field(default_factory=dict)

    def parameter(self, type: str, code: str, name: str) -> Parameter | None:
        """Give a parameter by its code; raises Refused for one that is not ready."""
        return self.reading.parameter(type, code, name)

    def references(self, type: str, target: str | None = None) -> tuple[Parameter, ...]:
        """Give the reference parameters of a type, those that may lead to one if it is named."""
        added = [each.parameter for each in self.reading.registry.of_type(type) if each.ready]
        self.reading.asks_added = self.reading.asks_added or bool(added)
        return (*_references(type, target), *_leading(added, target))

    def once(self, member: str, name: str, value: object) -> None:
        """Keep a value that is given once only; raises Refused the second time."""
        if member in self.given and self.given[member] != value:
            raise Refused(issue("search.repeated", name, name=name))
        self.given[member] = value


def _count(results: Results, name: str, text: str) -> None:
    """`_count`: bounded by what a page may hold; zero asks for the total alone."""
    if not _COUNT.fullmatch(text):
        raise Refused(issue("search.count-invalid", name))
    results.once("count", name, min(int(text), COUNT_MAX))
    if int(text) == 0:
        results.given["only_count"] = True


def _sort(results: Results, name: str, text: str) -> None:
    """`_sort`: codes of parameters, the minus for descending."""
    keys: list[Sort] = []
    type = results.types[0] if len(results.types) == 1 else ANY
    for spelled in text.split(","):
        code = spelled.removeprefix("-")
        parameter = results.parameter(type, code, name)
        if "." in code:
            raise Refused(issue("search.sort-chained", name, name=name))
        if parameter is None or not _sorts(parameter) or len(keys) == SORT_MAX:
            # What is no parameter's code may be anything, even a name: it is not told again.
            known, kind = (code, parameter.kind) if parameter else ("?", "?")
            raise Refused(issue("search.sort-not-supported", name, name=known, kind=kind))
        keys.append(Sort(parameter, spelled != code))
    results.once("sort", name, tuple(keys))


def _sorts(parameter: Parameter) -> bool:
    """Tell whether there is an order by a parameter; how names sound has none."""
    return parameter.kind in SORTED_KINDS and parameter.code != PHONETIC


@cache
def _references(type: str, target: str | None = None) -> tuple[Parameter, ...]:
    """Give the reference parameters of a type, those that may lead to a target if one is named."""
    return _leading(parameters(type).values(), target)


def _leading(found: Iterable[Parameter], target: str | None) -> tuple[Parameter, ...]:
    return tuple(
        each
        for each in found
        if each.kind == "reference" and (target is None or leads_to(each, (target,)))
    )


def _every_reference(results: Results, targets: tuple[str, ...]) -> tuple[Parameter, ...]:
    """Give the reference parameters of all types that may lead to one of those types."""
    found = (
        each
        for type in sorted(TYPES_WITH_PARAMETERS)
        for each in results.references(type)
        if leads_to(each, targets)
    )
    return tuple(dict.fromkeys(found))


def leads_to(parameter: Parameter, types: Sequence[str]) -> bool:
    """Tell whether a reference may lead to one of those types, or to any when none is named."""
    return not types or parameter.targets == (ANY,) or not set(types).isdisjoint(parameter.targets)


def _read_include(results: Results, name: str, text: str) -> tuple[str, Include]:
    """Read ``Type:param[:target]`` under a name; give the type with it. Raises Refused."""
    iterate = name.endswith(_ITERATES)
    match = _INCLUDE.fullmatch(text)
    if match is None:
        raise Refused(issue("search.include-invalid", name, name=name))
    type, code, wanted = match.groups()
    if code == ALL:
        every = results.references(type, wanted) if type in TYPES_WITH_PARAMETERS else ()
        if not every:
            raise Refused(issue("search.include-invalid", name, name=name))
        return type, Include(text, every, wanted, iterate)
    parameter = results.parameter(type, code, name)
    if parameter is None or parameter.kind != "reference":
        raise Refused(issue("search.include-invalid", name, name=name))
    if wanted and not leads_to(parameter, (wanted,)):
        raise Refused(issue("search.target-unknown", name, name=name, target=wanted))
    return type, Include(text, (parameter,), wanted, iterate)


def _include(results: Results, name: str, text: str) -> None:
    """`_include`: along a reference of the type that is searched, or of what is included.

    What an include before it leads to is gone on from without `:iterate` too: GAP asks so (flow 4a,
    `Slot?_include=Slot:schedule&_include=Schedule:actor`).
    """
    if text == ALL:
        every = tuple(each for type in results.types for each in results.references(type))
        found = every or _every_reference(results, ())
        _append(results, "includes", name, Include(ALL, found, None, name.endswith(_ITERATES)))
        return
    type, include = _read_include(results, name, text)
    if results.types and type not in results.types and not include.iterate:
        led = (each for one in results.given.get("includes", ()) for each in one.parameters)
        if any(leads_to(each, (type,)) for each in led):
            _append(results, "includes", name, include._replace(iterate=True))
            return
        raise Refused(issue("search.include-invalid", name, name=name))
    _append(results, "includes", name, include)


def _rev_include(results: Results, name: str, text: str) -> None:
    """`_revinclude`: against a reference that may lead to the type that is searched."""
    if text == ALL:
        every = _every_reference(results, results.types)
        _append(results, "rev_includes", name, Include(ALL, every, None, name.endswith(_ITERATES)))
        return
    _, include = _read_include(results, name, text)
    wrong = include.target and results.types and include.target not in results.types
    leads = not wrong and any(leads_to(each, results.types) for each in include.parameters)
    if not leads and not include.iterate:
        raise Refused(issue("search.include-invalid", name, name=name))
    _append(results, "rev_includes", name, include)


def _append(results: Results, member: str, name: str, include: Include) -> None:
    """Add an inclusion once; raises Refused when there are too many."""
    given = results.given.setdefault(member, ())
    if len(given) == INCLUDES_MAX:
        raise Refused(issue("search.too-many-values", name, name=name, limit=INCLUDES_MAX))
    if include not in given:
        results.given[member] = (*given, include)


def _total(results: Results, name: str, text: str) -> None:
    """`_total`: an estimate is answered by the exact number, which is one."""
    if text not in ("none", "estimate", "accurate"):
        raise Refused(issue("search.value-invalid", name, name=name, kind="code"))
    results.once("total", name, "none" if text == "none" else "accurate")


def _summary(results: Results, name: str, text: str) -> None:
    """`_summary`: only the count, or the resources whole."""
    if text == "count":
        results.given["only_count"] = True
    elif text != "false":
        raise Refused(issue("search.parameter-not-supported", name, name=name))


def _contained(results: Results, name: str, text: str) -> None:
    """`_contained` and `_containedType`: only their defaults, as contained resources have no rows.

    https://hl7.org/fhir/R4/search.html#contained
    """
    if text not in _CONTAINED[name]:
        raise Refused(issue("search.value-invalid", name, name=name, kind="code"))
    if text != _CONTAINED[name][0]:
        raise Refused(issue("search.contained-not-searched", name, name=name))


def _named_query(results: Results, name: str, text: str) -> None:
    """`_query`: a search of its own, defined on the server; none is here."""
    raise Refused(issue("search.no-named-query", name, name=name))


def _cursor(results: Results, name: str, text: str) -> None:
    """`_cursor`: the opaque place of a page, checked when it is used."""
    if not text or len(text) > CURSOR_LENGTH_MAX or not text.isascii():
        raise Refused(issue("search.cursor-invalid", name))
    results.once("cursor", name, text)


READERS: dict[str, Callable[[Results, str, str], None]] = {
    "_count": _count,
    "_sort": _sort,
    "_include": _include,
    "_include:iterate": _include,
    "_include:recurse": _include,
    "_revinclude": _rev_include,
    "_revinclude:iterate": _rev_include,
    "_revinclude:recurse": _rev_include,
    "_total": _total,
    "_summary": _summary,
    "_cursor": _cursor,
    "_contained": _contained,
    "_containedType": _contained,
    "_query": _named_query,
}
"""By name; each raises Refused."""
