"""The page of search parameters: what is indexed, and how each may be asked for."""

from collections.abc import Iterator, Mapping

from passerelle.fhir.search import added_parameters, query, query_results
from passerelle.fhir.search.language import (
    clauses,
    filter_elements,
    filter_operators,
    filter_syntax,
    modifiers,
    reading,
    terminology,
)
from passerelle.fhir.search.language.compartments import compartments
from passerelle.fhir.search.language.hierarchies import TRANSITIVE, hierarchies
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
    read = {*query_results.READERS, "_elements"} - _BY_DEFAULT_ONLY
    refused = query_results.NOT_SUPPORTED - {*query_results.READERS, "_elements", "_type"}
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
        "`:above` and `:below` of a `reference` go through the hierarchy of what it leads to, to "
        f"its end: {_hierarchies()}. References that carry an identifier only are no part of it. "
        "`:below` of a canonical finds its versions, `|1` finds `|1.2`; of a `uri`, what lies "
        "under its path as well.",
        "`phonetic` finds names as they sound in French, word by word, and words written together: "
        "`Thibault` finds Thibaud, `Le Gall` finds Legall. It takes `:missing` only and is no key "
        "of `_sort`; in a `_filter` it takes `eq`, `ap` and `pr`.",
        "## Dates and numbers",
        "A date is the interval that its precision stands for, `2026-01` a whole month; without a "
        "zone it is one of France. A number that is asked for with `eq` or `ne` stands for its "
        "precision (`100` from 99.5 to 100.5), with any other prefix for itself; one that is kept "
        "is as exact as it is written. A quantity in a unit of UCUM is compared in its canonical "
        "unit.",
        "`ap` of a number is what lies within a tenth of it, and no less than its precision; of a "
        "date, what meets its interval widened by its own width on each side: `ap2026-01-15` meets "
        "the 14th, the 15th and the 16th.",
        "## Chains",
        "`patient.identifier=…`, `subject:Patient.name=…`; `_has:Observation:patient:code=…`, also "
        "nested (`_has:Task:patient:_has:…`) and within chains (`patient._has:…`). A reference "
        "that carries an identifier only leads to the resource that carries the same; without a "
        "`type` it may be of any, so that `patient.identifier=…` finds it. `_list=id` finds what a "
        "List has as an item. Criteria of conditions (`If-None-Exist` and the others) are spelled "
        "in the same way, those that ask the terminology included; only words are none.",
        "## Filters",
        "`_filter`, with `and`, `or` (of one rank, from left to right), `not (…)`, parentheses, "
        "paths (`patient.name`) and filters within them (`patient[active eq true].name`). Values "
        "are compared without case, but for addresses, ids and dates; `loinc`, `snomed`, `rxnorm` "
        "and `ucum` stand for their systems. `value ss` holds of what the value subsumes, `sb` of "
        "what subsumes it. A refusal says at which character. Of the elements that only filters "
        "name, "
        f"{codes(sorted('.'.join(each) for each in filter_elements.ELEMENTS))} are known "
        "(`relatesTo[code eq replaces].target re DocumentReference/1`).",
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
        f"Read: {codes(sorted(read))}. A page holds "
        f"{query_results.COUNT_DEFAULT} matches unless `_count` says otherwise, and at most "
        f"{query_results.COUNT_MAX}. `_sort` orders by parameters of the kinds "
        f"{codes(sorted(query_results.SORTED_KINDS))}.",
        f"Refused by name: {codes(sorted(refused))}.",
        "Contained resources are not searched (`_contained` takes `false` only, `_containedType` "
        "`container`), no search is named (`_query`), no functional list is kept "
        "(`_list=$current-…`): each is refused by name.",
        "`_total=estimate` is answered by the exact number; `_summary=count` gives the number "
        "alone, whatever is included. `:recurse` is read as `:iterate`.",
        "## Added parameters",
        "An active SearchParameter that is written, or that comes with a package, is one of the "
        "record: what is written from then on is indexed by it, what was there before is indexed "
        "in the background. Until that is done a search by it is refused "
        "(`search.parameter-not-ready`, with the per cent), lenient or not. "
        "`GET [base]/SearchParameter/$status` (also of one: `/[id]/$status`) and `passerelle "
        "reindex --status` tell how far each is, and why one was refused; `passerelle reindex "
        "--added` does it at once.",
        "The definitions of the French guides (CDS, PDSm, GAP, NdE, TdE, Annuaire) are in the "
        "table below for every record. Of these the code is defined otherwise already, and what "
        "they ask is answered by the one that has it:",
        table(("Definition", "Code", "Answered by", "Why"), YIELDING),
        "Two are ours, since R4 has none: `status` of Flag, as R5 has it; `due` of Task, when it "
        "is to be done "
        "(`restriction.period.end`). What is overdue is computed, never stored: "
        "`Task?status=requested,accepted,in-progress,on-hold&due=eb2026-11-24T10:00:00Z&_sort=due` "
        "finds what was to be done before then; `eb` leaves a day alone until it is over.",
        "## Bounds",
        table(("Bound", "At most"), _bounds()),
        "## Every type",
        _parameters(parameters(ANY)),
        *(block for type_ in types for block in (f"## {type_}", _parameters(own(type_)))),
    )


YIELDING = (
    ("GAP-Slot-earliestStart", "`Slot?start`", "Slot-start (R4)", "the same element"),
    ("GAP-Slot-latestStart", "`Slot?start`", "Slot-start (R4)", "the same element"),
    (
        "GAP-Appointment-latestStart",
        "`Appointment?start`",
        "GAP-Appointment-earliestStart",
        "the same element; one code has one definition",
    ),
    ("PDSm-List-PatientAsSource", "`List?source`", "List-source (R4)", "all targets, not one"),
    (
        "PDSm-List-PractitionerRoleAsSource",
        "`List?source`",
        "List-source (R4)",
        "all targets, not one",
    ),
    ("PDSm-List-PatientAsSubject", "`List?patient`", "clinical-patient (R4)", "the same element"),
)
"""The French definitions whose code another one has; tests/api/test_french_parameters.py."""

_BY_DEFAULT_ONLY = {"_contained", "_containedType", "_query"}


def own(type_: str) -> Mapping[str, Parameter]:
    """Give the parameters of a type without those of every type."""
    return {name: each for name, each in parameters(type_).items() if each.type != ANY}


def _modifiers() -> Iterator[tuple[str, str]]:
    for kind, found in modifiers.MODIFIERS.items():
        found = found | TRANSITIVE if kind == "reference" else found
        named = codes(f":{modifier}" for modifier in sorted(found) if modifier)
        chained = ", `:Type`, and chains (`subject:Patient.identifier=…`)"
        yield code(kind), named + (chained if kind == "reference" else "")


def _hierarchies() -> str:
    return ", ".join(code(f"{each.type}.{each.code}") for each in hierarchies())


def _operators() -> Iterator[tuple[str, str]]:
    for kind, found in filter_operators.OPERATORS.items():
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
        ("parameters added to a record", str(added_parameters.ADDED_MAX)),
        ("characters of an added expression", str(added_parameters.EXPRESSION_MAX)),
        ("parts of an added expression, for each type", str(added_parameters.PARTS_MAX)),
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
