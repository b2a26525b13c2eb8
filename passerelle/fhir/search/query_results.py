"""The parameters of a search that shape its result: page, order, included resources, total.

https://hl7.org/fhir/R4/search.html#Summary , https://hl7.org/fhir/R4/search.html#sort ,
https://hl7.org/fhir/R4/search.html#revinclude
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from passerelle.errors.rules import issue
from passerelle.fhir.search.query_clauses import Refused
from passerelle.fhir.search.search_parameters import ANY, Parameter, parameters

COUNT_DEFAULT = 50
COUNT_MAX = 1000
SORT_MAX = 5
INCLUDES_MAX = 20
CURSOR_LENGTH_MAX = 4000

SORTED_KINDS = frozenset({"date", "string", "token"})

IGNORED = frozenset({"_format", "_pretty"})
"""They speak of the form of the answer, which is not decided here."""

NOT_SUPPORTED = frozenset(
    {
        *("_elements", "_contained", "_containedType", "_score", "_summary", "_sort", "_count"),
        *("_include", "_revinclude", "_total", "_has", "_list", "_text", "_content", "_query"),
        *("_filter", "_type", "_cursor"),
    }
)
"""Of the standard but not answered, or not with a modifier: leaving them out would lie."""

_INCLUDE = re.compile(
    r"(?P<type>[A-Za-z]{1,64}):(?P<code>[A-Za-z_\-]{1,64})(?::(?P<target>[A-Za-z]{1,64}))?"
)
_ITERATE = ":iterate"
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

    ``iterate`` says that what was included is followed as well.
    """

    parameter: Parameter
    target: str | None = None
    iterate: bool = False

    def __str__(self) -> str:
        """Spell it as in `_include`."""
        spelled = f"{self.parameter.type}:{self.parameter.code}"
        return f"{spelled}:{self.target}" if self.target else spelled


@dataclass(slots=True)
class Results:
    """The parameters of the result of a search of ``type`` as they are read; see ``Query``."""

    type: str
    given: dict[str, Any] = field(default_factory=dict)

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
    for spelled in text.split(","):
        code = spelled.removeprefix("-")
        parameter = parameters(results.type).get(code)
        if parameter is None or parameter.kind not in SORTED_KINDS or len(keys) == SORT_MAX:
            # What is no parameter's code may be anything, even a name: it is not told again.
            known, kind = (code, parameter.kind) if parameter else ("?", "?")
            raise Refused(issue("search.sort-not-supported", name, name=known, kind=kind))
        keys.append(Sort(parameter, spelled != code))
    results.once("sort", name, tuple(keys))


def _read_include(name: str, text: str) -> Include:
    """Read ``Type:param[:target]`` under a name with or without `:iterate`; raises Refused."""
    match = _INCLUDE.fullmatch(text)
    parameter = parameters(match["type"]).get(match["code"]) if match else None
    if match is None or parameter is None or parameter.kind != "reference":
        raise Refused(issue("search.include-invalid", name, name=name))
    wanted = match["target"]
    if wanted and wanted not in parameter.targets and parameter.targets != (ANY,):
        raise Refused(issue("search.target-unknown", name, name=name, target=wanted))
    return Include(parameter, wanted, name.endswith(_ITERATE))


def _include(results: Results, name: str, text: str) -> None:
    """`_include`: along a reference of the type that is searched, or of what is included."""
    include = _read_include(name, text)
    if include.parameter.type != results.type and not include.iterate:
        raise Refused(issue("search.include-invalid", name, name=name))
    _append(results, "includes", name, include)


def _rev_include(results: Results, name: str, text: str) -> None:
    """`_revinclude`: against a reference that may lead to the type that is searched."""
    include = _read_include(name, text)
    targets = (include.target,) if include.target else include.parameter.targets
    if results.type not in targets and targets != (ANY,) and not include.iterate:
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
    "_revinclude": _rev_include,
    "_revinclude:iterate": _rev_include,
    "_total": _total,
    "_summary": _summary,
    "_cursor": _cursor,
}
"""By name; each raises Refused."""
