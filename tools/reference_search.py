"""The page of search parameters: what is indexed, and how each may be asked for."""

from collections.abc import Iterator, Mapping

from passerelle.fhir.search import query, query_clauses, query_results
from passerelle.fhir.search.search_parameters import (
    ANY,
    TYPES_WITH_PARAMETERS,
    Parameter,
    parameters,
)
from tools.reference_markdown import code, codes, page, table


def write() -> str:
    """Write the page."""
    types = sorted(TYPES_WITH_PARAMETERS)
    refused = query_results.NOT_SUPPORTED - set(query_results.READERS)
    return page(
        "Search parameters",
        "`GET [base]/[type]?…` and `POST [base]/[type]/_search`. A parameter that is not known "
        "is left out and named in the answer; with `Prefer: handling=strict` it is refused. What "
        "is known but cannot be honoured is always refused.",
        "## Modifiers",
        "Case, accents, punctuation and blanks do not count in a `string`.",
        table(("Kind", "Modifiers"), _modifiers()),
        "## The result",
        f"Read: {codes(sorted(query_results.READERS))}. A page holds "
        f"{query_results.COUNT_DEFAULT} matches unless `_count` says otherwise, and at most "
        f"{query_results.COUNT_MAX}. `_sort` orders by parameters of the kinds "
        f"{codes(sorted(query_results.SORTED_KINDS))}.",
        f"Refused by name: {codes(sorted(refused))}.",
        "`_summary` is `count` or `false`; `_total=estimate` is answered by the exact number.",
        "## Bounds",
        table(("Bound", "At most"), _bounds()),
        "## Every type",
        _parameters(parameters(ANY)),
        *(block for type_ in types for block in (f"## {type_}", _parameters(own(type_)))),
    )


def own(type_: str) -> Mapping[str, Parameter]:
    """Give the parameters of a type without those of every type."""
    return {name: each for name, each in parameters(type_).items() if each.type != ANY}


def _modifiers() -> Iterator[tuple[str, str]]:
    for kind, found in query_clauses.MODIFIERS.items():
        named = codes(f":{modifier}" for modifier in sorted(found) if modifier)
        chained = ", `:Type`, and chains (`subject:Patient.identifier=…`)"
        yield code(kind), named + (chained if kind == "reference" else "")


def _bounds() -> tuple[tuple[str, str], ...]:
    return (
        ("criteria of a search", str(query.CLAUSES_MAX)),
        ("alternatives of a criterion (`a,b,c`)", str(query_clauses.VALUES_MAX)),
        ("characters of a value", str(query_clauses.VALUE_LENGTH_MAX)),
        ("links of a chain", str(query_clauses.CHAIN_MAX)),
        ("keys of `_sort`", str(query_results.SORT_MAX)),
        ("`_include` and `_revinclude`", str(query_results.INCLUDES_MAX)),
    )


def _parameters(found: Mapping[str, Parameter]) -> str:
    rows = (
        (
            code(each.code),
            each.kind,
            code(each.expression),
            ", ".join(each.targets),
            f"[{each.url.rpartition('/')[2]}]({each.url})",
        )
        for _, each in sorted(found.items())
    )
    return table(("Parameter", "Kind", "Expression", "Leads to", "Definition"), rows)
