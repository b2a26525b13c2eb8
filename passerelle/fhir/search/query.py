"""A search as understood: what `GET [base]/[type]?…` asks.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir.search.query_clauses import Clause, Refused, Unknown, clause
from passerelle.fhir.search.query_results import (
    COUNT_DEFAULT,
    IGNORED,
    NOT_SUPPORTED,
    READERS,
    Include,
    Results,
    Sort,
)

__all__ = ["Clause", "Include", "Query", "Sort", "parse", "parse_criteria"]

CLAUSES_MAX = 40


@dataclass(frozen=True, slots=True)
class Query:
    """A search as understood; ``ignored`` names the parameters that were left out (lenient).

    ``count`` is the size of a page; ``only_count`` is `_summary=count` or `_count=0`; ``cursor``
    the opaque place to go on from.
    """

    type: str
    clauses: tuple[Clause, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = COUNT_DEFAULT
    includes: tuple[Include, ...] = ()
    rev_includes: tuple[Include, ...] = ()
    total: Literal["none", "accurate"] = "none"
    only_count: bool = False
    cursor: str | None = None
    ignored: tuple[str, ...] = ()

    def self_pairs(self) -> tuple[tuple[str, str], ...]:
        """Give the parameters that were understood, in one order, for the self link."""
        return self._pairs(self.cursor)

    def next_pairs(self, cursor: str) -> tuple[tuple[str, str], ...]:
        """Give the parameters of the next page, for the next link."""
        return self._pairs(cursor)

    def _pairs(self, cursor: str | None) -> tuple[tuple[str, str], ...]:
        """Spell the parameters out, criteria first as they were given."""
        pairs = [(entry.name, entry.text) for entry in self.clauses]
        if self.sort:
            pairs.append(("_sort", ",".join(map(str, self.sort))))
        for name, entries in (("_include", self.includes), ("_revinclude", self.rev_includes)):
            pairs += [(name + ":iterate" * entry.iterate, str(entry)) for entry in entries]
        if self.total != "none":
            pairs.append(("_total", self.total))
        if self.only_count:
            return (*pairs, ("_summary", "count"))
        pairs.append(("_count", str(self.count)))
        if cursor is not None:
            pairs.append(("_cursor", cursor))
        return tuple(pairs)


def parse(
    type: str, pairs: Sequence[tuple[str, str]], *, strict: bool, base_url: str = ""
) -> Query:
    """Understand the parameters of a search of a resource type.

    ``pairs`` are decoded names and values in their order. An unknown parameter is refused when
    ``strict``, else named in ``Query.ignored``; what is known but cannot be honoured is always
    refused. References under ``base_url`` are local. Raises Invalid with every fault at once, the
    name of the parameter as its expression.
    """
    results = Results(type)
    clauses: list[Clause] = []
    ignored: list[str] = []
    issues: list[Issue] = []
    if len(pairs) > CLAUSES_MAX:
        raise Invalid(issue("search.too-many-clauses", limit=CLAUSES_MAX))
    for name, text in pairs:
        if name in IGNORED:
            continue
        try:
            if name in READERS:
                READERS[name](results, name, text)
            elif name.partition(":")[0] in NOT_SUPPORTED:
                raise Refused(issue("search.parameter-not-supported", name, name=name))
            elif not text and not strict:
                ignored.append(name)
            elif not text:
                raise Refused(issue("search.value-missing", name, name=name))
            else:
                clauses.append(clause(type, name, text, base_url))
        except Unknown:
            if strict:
                issues.append(issue("search.unknown-parameter", name, name=name, type=type))
            else:
                ignored.append(name)
        except Refused as refusal:
            issues.append(refusal.issue)
    if issues:
        raise Invalid(*issues)
    return Query(type, tuple(clauses), ignored=tuple(ignored), **results.given)


def parse_criteria(type: str, criteria: str, base_url: str = "") -> Query:
    """Understand a condition such as ``identifier=sys|val&active=true``, of If-None-Exist.

    Always strict, and of criteria only: a parameter of the result (`_sort`, `_include` …) is
    refused, and so is a condition without any criterion, which would designate everything. Raises
    Invalid.
    """
    try:
        pairs = parse_qsl(
            criteria.removeprefix("?"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=CLAUSES_MAX,
        )
    except UnicodeDecodeError:
        raise Invalid(issue("http.query-not-utf8")) from None
    except ValueError:
        raise Invalid(issue("search.too-many-clauses", limit=CLAUSES_MAX)) from None
    results = [name for name, _ in pairs if name in READERS]
    if results:
        raise Invalid(*(issue("search.parameter-not-supported", n, name=n) for n in results))
    query = parse(type, pairs, strict=True, base_url=base_url)
    if not query.clauses:
        raise Invalid(issue("search.criteria-missing"))
    return query
