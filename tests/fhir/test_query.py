"""Searches as understood."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.search.date_interval import interval
from passerelle.fhir.search.query import Query, parse, parse_criteria
from passerelle.fhir.search.query_values import (
    BadValue,
    MissingValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    escape,
    number_value,
    quantity_value,
)


def ask(type: str, *pairs: tuple[str, str], strict: bool = True) -> Query:
    return parse(type, pairs, strict=strict, base_url="https://here.example/fhir")


def values(type: str, name: str, text: str) -> tuple[object, ...]:
    return ask(type, (name, text)).clauses[0].values


def faults(type: str, *pairs: tuple[str, str], strict: bool = True) -> list[tuple[str, str | None]]:
    with pytest.raises(Invalid) as refusal:
        ask(type, *pairs, strict=strict)
    return [(issue.rule, issue.expression) for issue in refusal.value.issues]


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("identifier", "a|b", [TokenValue("a", "b")]),
        ("identifier", "b", [TokenValue(None, "b")]),
        ("identifier", "|b", [TokenValue("", "b")]),
        ("identifier", "a|", [TokenValue("a", None)]),
        ("identifier", "a|b,c|d,a|b", [TokenValue("a", "b"), TokenValue("c", "d")]),
        ("identifier", r"a|b\,c\|d\$\\", [TokenValue("a", r"b,c|d$" + "\\")]),
        ("identifier", "a|b|c", [TokenValue("a", "b|c")]),
        ("gender", "male", [TokenValue("", "male")]),
        ("gender", "http://hl7.org/fhir/administrative-gender|male", [TokenValue("", "male")]),
        ("gender", "urn:x|male", [TokenValue("urn:x", "male")]),
        ("family", "D'Œ", [StringValue("d oe", "D'Œ")]),
        ("family:missing", "true", [MissingValue(True)]),
        ("general-practitioner", "Practitioner/1", [ReferenceValue("Practitioner", "1")]),
        ("general-practitioner", "1", [ReferenceValue(None, "1")]),
        ("general-practitioner:Practitioner", "1", [ReferenceValue("Practitioner", "1")]),
        ("general-practitioner", "https://a.example/P/1", [ReferenceValue("", "https://a.example/P/1")]),
        (
            "general-practitioner",
            "https://here.example/fhir/Practitioner/1",
            [ReferenceValue("Practitioner", "1")],
        ),
        ("organization", "7", [ReferenceValue("Organization", "7")]),
        ("_source", "urn:s", [UriValue("urn:s")]),
        ("_id", "1,2", [TokenValue(None, "1"), TokenValue(None, "2")]),
    ],
)  # fmt: skip
def test_a_criterion_is_read_by_the_kind_of_its_parameter(
    name: str, text: str, read: list[object]
) -> None:
    assert list(values("Patient", name, text)) == read


@pytest.mark.parametrize("prefix", ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
def test_a_date_takes_each_prefix(prefix: str) -> None:
    assert values("Patient", "birthdate", prefix + "1979-03") == (
        (prefix, *interval("1979-03")),  # type: ignore[misc]
    )


def test_a_date_without_a_prefix_is_equal() -> None:
    assert values("Patient", "birthdate", "1979") == (("eq", *interval("1979")),)  # type: ignore[misc]


def test_the_plus_of_a_zone_may_arrive_as_a_blank() -> None:
    plus = values("Patient", "_lastUpdated", "ge2024-01-01T10:00:00+01:00")
    assert values("Patient", "_lastUpdated", "ge2024-01-01T10:00:00 01:00") == plus


def test_numbers_and_quantities_stand_for_their_precision() -> None:
    assert number_value("gt5.40")[:2] == ("gt", Decimal("5.40"))
    assert quantity_value("5.4|urn:u|mg") == QuantityValue(
        "eq", Decimal("5.4"), Decimal("5.35"), Decimal("5.45"), "urn:u", "mg"
    )
    assert quantity_value("5||mg")[4:] == (None, "mg")
    for text in ("", "x", "1e999", "NaN", "1|2"):
        with pytest.raises(BadValue):
            quantity_value(text)


def test_a_chain_is_read_for_each_type_that_has_the_parameter() -> None:
    chained = ask("CareTeam", ("subject.name", "x")).clauses[0]
    assert [type for type, _ in chained.chain] == ["Patient"]
    path = "participant:PractitionerRole.practitioner.identifier"
    outer = ask("CareTeam", (path, "a|1")).clauses[0]
    (role, middle), *others = outer.chain
    assert (role, others) == ("PractitionerRole", [])
    assert middle.chain[0][1].values == (TokenValue("a", "1"),)
    every = ask("CareTeam", ("participant.identifier", "1")).clauses[0]
    assert [type for type, _ in every.chain] == [
        *("CareTeam", "Organization", "Patient", "Practitioner", "PractitionerRole"),
        "RelatedPerson",
    ]


def test_every_fault_is_told_at_once_by_the_name_of_its_parameter() -> None:
    assert faults(
        "Patient",
        ("nonsense", "1"),
        ("family:fuzzy", "x"),
        ("birthdate", "yesterday"),
        ("_has:Task:patient", "x"),
        ("identifier:of-type", "a|b"),
        ("gender:of-type", "a|b|c"),
        ("general-practitioner:Patient", "1"),
        ("name.given", "x"),
        ("_lastUpdated:missing", "true"),
        ("given:missing", "perhaps"),
        ("organization", "Organization/"),
        ("_id", "a|b"),
        ("identifier", "|"),
        ("family", "\x00"),
        ("family", "--"),
        ("family", r"a\nb"),
        ("_count", "-1"),
        ("_sort", "general-practitioner,?"),
        ("_sort", "nonsense"),
        ("_include", "Patient"),
        ("_include", "Task:patient"),
        ("_include", "Patient:general-practitioner:Task"),
        ("_include:again", "Patient:link"),
        ("_revinclude", "Task:nonsense"),
        ("_revinclude", "Task:part-of"),
        ("_total", "some"),
        ("_summary", "text"),
        ("_elements", "id"),
    ) == [
        ("search.unknown-parameter", "nonsense"),
        ("search.modifier-not-supported", "family:fuzzy"),
        ("search.value-invalid", "birthdate"),
        ("search.has-invalid", "_has:Task:patient"),
        ("search.value-invalid", "identifier:of-type"),
        ("search.modifier-not-supported", "gender:of-type"),
        ("search.target-unknown", "general-practitioner:Patient"),
        ("search.chain-not-a-reference", "name.given"),
        ("search.modifier-not-supported", "_lastUpdated:missing"),
        ("search.value-invalid", "given:missing"),
        ("search.value-invalid", "organization"),
        ("search.value-invalid", "_id"),
        ("search.value-invalid", "identifier"),
        ("search.value-invalid", "family"),
        ("search.value-invalid", "family"),
        ("search.value-invalid", "family"),
        ("search.count-invalid", "_count"),
        ("search.sort-not-supported", "_sort"),
        ("search.sort-not-supported", "_sort"),
        ("search.include-invalid", "_include"),
        ("search.include-invalid", "_include"),
        ("search.target-unknown", "_include"),
        ("search.parameter-not-supported", "_include:again"),
        ("search.include-invalid", "_revinclude"),
        ("search.include-invalid", "_revinclude"),
        ("search.value-invalid", "_total"),
        ("search.parameter-not-supported", "_summary"),
        ("search.parameter-not-supported", "_elements"),
    ]


def test_an_unknown_parameter_is_left_out_and_told_when_lenient() -> None:
    query = ask(
        "Patient",
        *(("nonsense", "1"), ("family", ""), ("family", "x"), ("organization.nonsense", "1")),
        strict=False,
    )
    assert query.ignored == ("nonsense", "family", "organization.nonsense")
    assert [clause.name for clause in query.clauses] == ["family"]
    assert faults("Patient", ("family:fuzzy", "x"), strict=False) == [
        ("search.modifier-not-supported", "family:fuzzy")
    ]


def test_an_empty_parameter_is_no_error_of_a_search_and_one_of_a_condition() -> None:
    query = ask("Patient", ("family", ""), ("_filter", ""), ("gender", "male"))
    assert query.ignored == ("family", "_filter")
    assert [clause.name for clause in query.clauses] == ["gender"]
    with pytest.raises(Invalid) as refusal:
        parse_criteria("Patient", "family=&gender=male")
    assert [issue.rule for issue in refusal.value.issues] == ["search.value-missing"]


def test_no_text_of_a_refusal_holds_a_value() -> None:
    with pytest.raises(Invalid) as refusal:
        ask("Patient", ("birthdate", "SECRET"), ("_id", "SECRET|"), ("_sort", "family,SECRET"))
    told = [issue.text + issue.text_en for issue in refusal.value.issues[:2]]
    assert "SECRET" not in " ".join(told)


@pytest.mark.parametrize(
    ("pairs", "rule"),
    [
        ((("_id", ",".join(map(str, range(201)))),), "search.too-many-values"),
        ((("identifier", "x" * 2001),), "search.value-too-long"),
        ((("link:Patient." * 7 + "family", "x"),), "search.chain-too-deep"),
        ((("_sort", "family,given,gender,birthdate,_id,active"),), "search.sort-not-supported"),
        ((("_count", "1"), ("_count", "2")), "search.repeated"),
        (tuple(("family", "x") for _ in range(41)), "search.too-many-clauses"),
        ((("_cursor", "x" * 4001),), "search.cursor-invalid"),
    ],
)
def test_everything_is_bounded(pairs: tuple[tuple[str, str], ...], rule: str) -> None:
    assert [found for found, _ in faults("Patient", *pairs)] == [rule]


def test_a_page_is_of_a_bounded_size() -> None:
    assert ask("Patient").count == 50
    assert ask("Patient", ("_count", "7")).count == 7
    assert ask("Patient", ("_count", "100000")).count == 1000
    assert ask("Patient", ("_count", "0")).only_count
    assert ask("Patient", ("_summary", "count")).only_count


def test_the_self_link_tells_what_was_understood() -> None:
    query = ask(
        "Task",
        ("_count", "10"),
        ("_format", "json"),
        ("nonsense", "1"),
        ("_include", "Task:patient"),
        ("_include", "Task:patient"),
        ("_revinclude", "Task:part-of:Task"),
        ("_include:iterate", "Patient:link"),
        ("_sort", "-period,_id"),
        ("patient.family:exact", "D'Œuvre, fils"),
        ("_total", "estimate"),
        ("_cursor", "abc"),
        strict=False,
    )
    understood = (
        ("patient.family:exact", "D'Œuvre, fils"),
        ("_sort", "-period,_id"),
        ("_include", "Task:patient"),
        ("_include:iterate", "Patient:link"),
        ("_revinclude", "Task:part-of:Task"),
        ("_total", "accurate"),
        ("_count", "10"),
    )
    assert query.self_pairs() == (*understood, ("_cursor", "abc"))
    assert query.next_pairs("def") == (*understood, ("_cursor", "def"))
    again = parse("Task", query.self_pairs(), strict=True)
    assert again.self_pairs() == query.self_pairs()


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20))
def test_a_value_that_is_escaped_is_read_as_it_was(text: str) -> None:
    assert values("Patient", "identifier", f"urn:a|{escape(text)}") == (TokenValue("urn:a", text),)


def test_a_condition_is_strict_and_has_a_criterion() -> None:
    query = parse_criteria("Patient", "identifier=urn%3Aa%7C1&active=true")
    assert [clause.name for clause in query.clauses] == ["identifier", "active"]
    assert parse_criteria("Patient", "?_id=1").clauses[0].values == (TokenValue(None, "1"),)
    for criteria in ("", "nonsense=1", "identifier=", "_count=1&identifier=1", "_sort=_id"):
        with pytest.raises(Invalid):
            parse_criteria("Patient", criteria)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["identifier", "family:exact", "birthdate", "general-practitioner", "_id", "_sort",
                 "_include", "_count", "organization.name", "link:Patient.birthdate", "gender:not"]
            )
            | st.text(max_size=10),
            st.text(max_size=20) | st.sampled_from(["a|b", "ge2024", "Patient/1", "-_id"]),
        ),
        max_size=4,
    ),
    st.booleans(),
)  # fmt: skip
def test_any_pairs_are_understood_or_refused(pairs: list[tuple[str, str]], strict: bool) -> None:
    try:
        query = parse("Patient", pairs, strict=strict)
    except Invalid:
        return
    else:
        again = parse("Patient", query.self_pairs(), strict=True)
        assert again.clauses == query.clauses
        assert again.sort == query.sort
