"""Searches in the wider language, and histories, at fault: rows of the table of bad input."""

from tests.flows.bad_input import CANARY, STRICT, Answer, Case

_INVALID = Answer(400, "search.value-invalid")


def _search(title: str, address: str, answer: Answer, place: str | None = None) -> Case:
    return Case(title, "GET", f"/fhir{address}", answer, headers=STRICT, place=place)


def _filter(title: str, text: str, answer: Answer) -> Case:
    return _search(title, f"/Patient?_filter={text.replace(' ', '%20')}", answer, "_filter")


LANGUAGE = (
    _filter("a `_filter` cut short", "name co", Answer(400, "search.filter-invalid")),
    _filter("an unknown path in it", f"surname eq {CANARY}", Answer(400, "search.filter-path")),
    _filter("an unknown operator", f"name like {CANARY}", Answer(400, "search.filter-invalid")),
    _filter(
        "an operator of another kind", "birthdate sw 2026", Answer(400, "search.filter-operator")
    ),
    _filter(
        "a quote that never closes", f"name eq %22{CANARY}", Answer(400, "search.filter-invalid")
    ),
    _filter("a date that is none", f"birthdate ge {CANARY}", _INVALID),
    _filter(
        "40 parentheses in one another",
        "(" * 40 + "name eq a" + ")" * 40,
        Answer(400, "search.filter-too-large"),
    ),
    _filter(
        "61 comparisons",
        " and ".join(["name eq a"] * 61),
        Answer(400, "search.filter-too-large"),
    ),
    _search(
        "`_has` of an unknown type",
        "/Patient?_has:Nothing:subject:code=a",
        Answer(400, "search.unknown-parameter"),
        "_has:Nothing:subject:code",
    ),
    _search(
        "`_has` by what is no reference",
        "/Patient?_has:Observation:code:code=a",
        Answer(400, "search.chain-not-a-reference"),
        "_has:Observation:code:code",
    ),
    _search(
        "a chain of ten links",
        f"/Patient?{'link:Patient.' * 9}name=a",
        Answer(400, "search.chain-too-deep"),
    ),
    _search("`near` that is no place", f"/Location?near={CANARY}", _INVALID, "near"),
    _search("`near` beyond the pole", "/Location?near=95|0|1|km", _INVALID, "near"),
    _search(
        "a quantity that is none",
        f"/Observation?value-quantity={CANARY}",
        _INVALID,
        "value-quantity",
    ),
    _search(
        "a composite of one part",
        f"/Observation?code-value-quantity={CANARY}",
        _INVALID,
        "code-value-quantity",
    ),
    _search(
        "`:in` of a value set that nobody knows",
        f"/Patient?gender:in={CANARY}",
        Answer(400, "search.value-set-unknown"),
        "gender:in",
    ),
    _search(
        "`:of-type` of one part",
        f"/Patient?identifier:of-type={CANARY}",
        _INVALID,
        "identifier:of-type",
    ),
    _search(
        "`_list` of a list with a name",
        f"/Patient?_list=$current-{CANARY}",
        Answer(400, "search.list-functional"),
        "_list",
    ),
    _search(
        "`_type` that is none", f"?_type={CANARY}", Answer(400, "search.type-unknown"), "_type"
    ),
    _search(
        "a type that is never in the compartment",
        "/Patient/there/Location",
        Answer(404, "search.compartment-unknown"),
    ),
    _search(
        "a compartment that there is not",
        "/Location/there/Patient",
        Answer(404, "search.compartment-unknown"),
    ),
    _search("`_elements` of no names", "/Patient?_elements=%3Cb%3E", _INVALID, "_elements"),
    _search("an unknown `_summary`", f"/Patient?_summary={CANARY}", _INVALID, "_summary"),
    _search(
        "`_summary` with `_elements`",
        "/Patient?_summary=true&_elements=name",
        Answer(400, "answer.summary-and-elements"),
        "_elements",
    ),
    _search(
        "`_summary=text` with `_include`",
        "/Patient?_summary=text&_include=*",
        Answer(400, "answer.summary-text-and-include"),
        "_summary",
    ),
)


def _history(title: str, query: str, answer: Answer, place: str | None = None) -> Case:
    return Case(
        title, "GET", f"/fhir/Patient/_history?{query}", answer, headers=STRICT, place=place
    )


_MALFORMED = Answer(400, "http.parameter-malformed")
HISTORIES = (
    _history("`_since` that is no instant", f"_since={CANARY}", _MALFORMED, "_since"),
    _history(
        "`_since` twice",
        "_since=2026-01-01T00:00:00Z&_since=2025-01-01T00:00:00Z",
        Answer(400, "search.repeated"),
        "_since",
    ),
    _history("`_at` that is no moment", f"_at={CANARY}", _MALFORMED, "_at"),
    _history("`_sort` by another key", "_sort=name", _MALFORMED, "_sort"),
    _history("`_count=-1`", "_count=-1", _MALFORMED, "_count"),
    _history(
        "a cursor that is none",
        f"_cursor={CANARY}",
        Answer(400, "search.cursor-invalid"),
        "_cursor",
    ),
    _history("an unknown parameter", f"surname={CANARY}", Answer(400, "http.parameter-unknown")),
    _history("`_list`", f"_list={CANARY}", Answer(501, "http.not-there-yet"), "_list"),
    Case(
        "an id that none can have",
        "GET",
        "/fhir/Patient/a%20b/_history",
        Answer(400, "http.id-malformed"),
    ),
    Case(
        "what was never there",
        "GET",
        "/fhir/Patient/bad-input/_history",
        Answer(404, "record.not-found"),
    ),
)
