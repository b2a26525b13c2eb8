"""A search as understood: what `GET [base]/[type]?…` asks, of a type, a compartment or all types.

https://hl7.org/fhir/R4/search.html , https://hl7.org/fhir/R4/http.html#vsearch
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Key
from passerelle.fhir.search.language.compartments import (
    NAME,
    compartment_types,
    membership,
)
from passerelle.fhir.search.language.criterion import Clause, Combined, Criterion, OfType
from passerelle.fhir.search.language.full_text import asked_by_full_text
from passerelle.fhir.search.language.reading import Reading
from passerelle.fhir.search.language.terminology import Terminology
from passerelle.fhir.search.query_reading import CLAUSES_MAX, QueryReader
from passerelle.fhir.search.query_results import COUNT_DEFAULT, READERS, Include, Sort
from passerelle.fhir.search.query_types import TYPE, named_types
from passerelle.fhir.search.registry import STANDARD, Registry

__all__ = [
    "CLAUSES_MAX",
    "Clause",
    "Combined",
    "Criterion",
    "Include",
    "OfType",
    "Query",
    "Sort",
    "parse",
    "parse_compartment",
    "parse_criteria",
    "parse_system",
]


@dataclass(frozen=True, slots=True)
class Query:
    """A search as understood; ``ignored`` names the parameters that were left out (lenient).

    ``type`` is empty for a search of several types: those of ``types``, or all when it is empty.
    ``within`` is what the address asks besides (a compartment), ``address`` the part of it after
    the base. ``asks_added``: one of the parameters was added to the record. ``count`` is the size
    of a page; ``only_count`` is `_summary=count` or `_count=0`;
    ``cursor`` the opaque place to go on from.
    """

    type: str
    clauses: tuple[Criterion, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = COUNT_DEFAULT
    includes: tuple[Include, ...] = ()
    rev_includes: tuple[Include, ...] = ()
    total: Literal["none", "accurate"] = "none"
    only_count: bool = False
    cursor: str | None = None
    ignored: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    within: Criterion | None = None
    address: str = ""
    asks_added: bool = False

    def self_pairs(self) -> tuple[tuple[str, str], ...]:
        """Give the parameters that were understood, in one order, for the self link."""
        return self._pairs(self.cursor)

    def next_pairs(self, cursor: str) -> tuple[tuple[str, str], ...]:
        """Give the parameters of the next page, for the next link."""
        return self._pairs(cursor)

    def _pairs(self, cursor: str | None) -> tuple[tuple[str, str], ...]:
        """Spell the parameters out, criteria first as they were given."""
        pairs = [(entry.name, entry.text) for entry in self.clauses]
        if self.types and not self.address.endswith(f"/{NAME}"):
            pairs.insert(0, (TYPE, ",".join(self.types)))
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
    type: str,
    pairs: Sequence[tuple[str, str]],
    *,
    strict: bool,
    base_url: str = "",
    terminology: Terminology | None = None,
    registry: Registry = STANDARD,
    demanding: bool = False,
) -> Query:
    """Understand the parameters of a search of a resource type.

    ``pairs`` are decoded names and values in their order. An unknown parameter is refused when
    ``strict``, else named in ``Query.ignored``; what is known but cannot be honoured is always
    refused. Empty parameters are ignored too, but for a condition (``demanding``). References under
    ``base_url`` are local; ``registry`` has the parameters. Raises Invalid with every fault at
    once, the name of the parameter as its expression.
    """
    reading = Reading(base_url, terminology, registry=registry)
    parser = QueryReader((type,), reading, strict=strict, demanding=demanding)
    parser.read(pairs)
    return Query(
        type,
        tuple(parser.clauses),
        ignored=tuple(parser.ignored),
        address=type,
        asks_added=parser.reading.asks_added,
        **parser.results.given,
    )


def parse_system(
    pairs: Sequence[tuple[str, str]],
    *,
    strict: bool,
    base_url: str = "",
    terminology: Terminology | None = None,
    registry: Registry = STANDARD,
) -> Query:
    """Understand a search of the whole system, `_type` naming the types.

    https://hl7.org/fhir/R4/http.html#vsearch : without `_type` only the parameters that every type
    has are known, with it those that all of the types have. Raises Invalid.
    """
    types, rest = named_types(pairs)
    return _of_types(types, rest, Reading(base_url, terminology, registry=registry), strict=strict)


def parse_compartment(
    compartment: Key,
    type: str,
    pairs: Sequence[tuple[str, str]],
    *,
    strict: bool,
    base_url: str = "",
    terminology: Terminology | None = None,
    registry: Registry = STANDARD,
) -> Query | None:
    """Understand a search of a compartment: ``GET [base]/Patient/1/Observation?…``, or ``…/*``.

    None when there is no such compartment, or the type is never in it. Raises Invalid.
    """
    reading = Reading(base_url, terminology, registry=registry)
    every = compartment_types(compartment.type)
    address = f"{compartment.type}/{compartment.id}/{type}"
    if type != NAME:
        if type not in every:
            return None
        parser = QueryReader((type,), reading, strict=strict)
        parser.read(pairs)
        return Query(
            type,
            tuple(parser.clauses),
            ignored=tuple(parser.ignored),
            within=membership(compartment, (type,)),
            address=address,
            asks_added=reading.asks_added,
            **parser.results.given,
        )
    if not every:
        return None
    types, rest = named_types(pairs)
    wanted = tuple(found for found in every if not types or found in types)
    within = membership(compartment, wanted or every)
    return _of_types(types, rest, reading, strict=strict, within=within, address=address)


def _of_types(
    types: tuple[str, ...],
    pairs: Sequence[tuple[str, str]],
    reading: Reading,
    *,
    strict: bool,
    within: Criterion | None = None,
    address: str = "",
) -> Query:
    """Understand a search of several types."""
    parser = QueryReader(types, reading, strict=strict)
    parser.read(pairs)
    return Query(
        "",
        tuple(parser.clauses),
        ignored=tuple(parser.ignored),
        types=types,
        within=within,
        address=address,
        asks_added=parser.reading.asks_added,
        **parser.results.given,
    )


def parse_criteria(
    type: str,
    criteria: str,
    base_url: str = "",
    terminology: Terminology | None = None,
    registry: Registry = STANDARD,
) -> Query:
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
    query = parse(
        type,
        pairs,
        strict=True,
        base_url=base_url,
        terminology=terminology,
        registry=registry,
        demanding=True,
    )
    if not query.clauses:
        raise Invalid(issue("search.criteria-missing"))
    late = asked_by_full_text(query.clauses)
    if late is not None:
        # The full text follows the log: a condition is decided on what is there.
        raise Invalid(issue("search.full-text-condition", late, name=late))
    return query
