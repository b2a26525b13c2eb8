"""The page of search parameters: what is indexed, and how each may be asked for."""

from collections.abc import Iterator, Mapping

from passerelle.fhir.search import query, query_results
from passerelle.fhir.search.language import (
    clauses,
    filter_criteria,
    filter_syntax,
    modifiers,
    reading,
    terminology,
)
from passerelle.fhir.search.language.compartments import compartments
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
        "`:in`, `:not-in`, and `:above` and `:below` of a `token`, ask the terminology of the "
        "record; what it does not know is refused by name.",
        "## Chains",
        "`patient.identifier=…`, `subject:Patient.name=…`; `_has:Observation:patient:code=…`, also "
        "nested (`_has:Task:patient:_has:…`) and within chains (`patient._has:…`). A reference "
        "that carries an identifier only leads to the resource that carries the same. `_list=id` "
        "finds what a List has as an item.",
        "## Filters",
        "`_filter`, with `and`, `or` (of one rank, from left to right), `not (…)`, parentheses, "
        "paths (`patient.name`) and filters within them (`patient[active eq true].name`).",
        table(("Kind", "Operators"), _operators()),
        "## Words",
        "`_text` looks through the narrative, `_content` through the whole resource: words side by "
        'side or with `AND`, `OR`, `NOT` and parentheses, `"phrases"`, beginnings (`hospi*`). '
        "Case, accents and punctuation do not count: `hopital` finds `l'hôpital`. They take no "
        "modifier and are no condition. An `information` issue says so when the newest changes "
        "are not known yet.",
        "## Of several types",
        "`GET [base]?…` and `POST [base]/_search` search all types, or those of `_type`, by the "
        "parameters that all of them have. `GET [base]/[compartment]/[id]/[type]?…` and `…/*?…` "
        f"search a compartment: {codes(compartments())}.",
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
    for kind, found in modifiers.MODIFIERS.items():
        named = codes(f":{modifier}" for modifier in sorted(found) if modifier)
        chained = ", `:Type`, and chains (`subject:Patient.identifier=…`)"
        yield code(kind), named + (chained if kind == "reference" else "")


def _operators() -> Iterator[tuple[str, str]]:
    for kind, found in filter_criteria.OPERATORS.items():
        yield code(kind), codes((*found, "pr"))


def _bounds() -> tuple[tuple[str, str], ...]:
    return (
        ("criteria of a search", str(query.CLAUSES_MAX)),
        ("alternatives of a criterion (`a,b,c`)", str(clauses.VALUES_MAX)),
        ("characters of a value", str(clauses.VALUE_LENGTH_MAX)),
        ("alternatives of strings, dates and numbers", str(clauses.RANGES_MAX)),
        ("links of a chain and of `_has`", str(clauses.CHAIN_MAX)),
        ("criteria that the chains of a search spread to", str(reading.CRITERIA_MAX)),
        ("characters of a `_filter`", str(filter_syntax.LENGTH_MAX)),
        ("terms of a `_filter`", str(filter_syntax.TERMS_MAX)),
        ("depth of a `_filter`", str(filter_syntax.DEPTH_MAX)),
        ("codes of a value set or a hierarchy", str(terminology.EXPANSION_MAX)),
        ("keys of `_sort`", str(query_results.SORT_MAX)),
        ("`_include` and `_revinclude`, each", str(query_results.INCLUDES_MAX)),
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
