"""The language of searches as understood: filters, chains, modifiers, places, bounds."""

from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.resource import Key
from passerelle.fhir.search.language import reading
from passerelle.fhir.search.language.compartments import compartment, compartments
from passerelle.fhir.search.language.criterion import Clause, Combined
from passerelle.fhir.search.language.filter_syntax import (
    BadFilter,
    Comparison,
    Joined,
    TooLarge,
    Tree,
    parse_filter,
)
from passerelle.fhir.search.language.near import box, near_value
from passerelle.fhir.search.language.reading import LINKS_MAX
from passerelle.fhir.search.language.terminology import EXPANSION_MAX, Code
from passerelle.fhir.search.query import (
    Query,
    parse,
    parse_compartment,
    parse_criteria,
    parse_system,
)
from passerelle.fhir.search.query_values import BadValue, NearValue, TokenValue


def ask(type: str, *pairs: tuple[str, str]) -> Query:
    return parse(type, pairs, strict=True)


def faults(type: str, *pairs: tuple[str, str]) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        parse(type, pairs, strict=False)
    return [issue.rule for issue in refusal.value.issues]


def shown(tree: Tree) -> str:
    """Spell a tree with all its parentheses."""
    if isinstance(tree, Comparison):
        path = ".".join(
            each.name + (f"[{shown(each.inner)}]" if each.inner else "") for each in tree.path
        )
        return f"{path} {tree.operator} {tree.value}"
    if tree.operator == "not":
        return f"!({shown(tree.parts[0])})"
    return "(" + f" {tree.operator} ".join(map(shown, tree.parts)) + ")"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('given eq "peter"', "given eq peter"),
        ("a eq 1 and b eq 2 or c eq 3", "((a eq 1 and b eq 2) or c eq 3)"),
        ("a eq 1 or b eq 2 and c eq 3", "((a eq 1 or b eq 2) and c eq 3)"),
        ("a eq 1 or (b eq 2 and c eq 3)", "(a eq 1 or (b eq 2 and c eq 3))"),
        ("not (a eq 1)", "!(a eq 1)"),
        ("not(a eq 1 or b eq 2) and c pr true", "(!((a eq 1 or b eq 2)) and c pr true)"),
        ("a eq 1 and b eq 2 and c eq 3", "(a eq 1 and b eq 2 and c eq 3)"),
        ("patient.name co zoe", "patient.name co zoe"),
        ("patient[active eq true].name co x", "patient[active eq true].name co x"),
        ("code eq http://loinc.org|1-8", "code eq http://loinc.org|1-8"),
        (r'name eq "a \"b\" \\ é"', 'name eq a "b" \\ é'),
        ('  name   eq   "x"  ', "name eq x"),
        ("((a eq 1))", "a eq 1"),
    ],
)
def test_a_filter_is_read_from_left_to_right(text: str, read: str) -> None:
    assert shown(parse_filter(text)) == read


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 0),
        ("a", 1),
        ("a eq", 2),
        ("a xx 1", 2),
        ("a eq 1 b eq 2", 7),
        ("(a eq 1", 7),
        ("a eq 1)", 6),
        ("a[b eq 1.c eq 2", 11),
        ('a eq "x', 5),
        ("not a eq 1", 4),
        ("a eq 1 and", 7),
        ("1a eq 1", 0),
    ],
)  # fmt: skip
def test_what_is_no_filter_says_where_it_stops_to_be_one(text: str, place: int) -> None:
    with pytest.raises(BadFilter) as refusal:
        parse_filter(text)
    assert refusal.value.place == place


@pytest.mark.parametrize(
    "text",
    ["(" * 40 + "a eq 1" + ")" * 40, " or ".join(["a eq 1"] * 61), "a eq " + "x" * 5_000,
     "a[" * 20 + "b eq 1" + "]" * 20],
)  # fmt: skip
def test_a_filter_is_bounded(text: str) -> None:
    with pytest.raises((TooLarge, BadFilter)):
        parse_filter(text)
    assert faults("Patient", ("_filter", text))[0].startswith("search.filter-")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='ab ()[].:"\\|eqandornt1-', max_size=60))
def test_any_text_is_a_filter_or_is_not(text: str) -> None:
    try:
        parse_filter(text)
    except (BadFilter, TooLarge):
        return


@pytest.mark.parametrize(
    ("type", "name", "text", "rule"),
    [
        ("Patient", "_filter", "nonsense eq 1", "search.filter-path"),
        ("Patient", "_filter", "name.family eq 1", "search.chain-not-a-reference"),
        ("Patient", "_filter", "family po 1", "search.filter-operator"),
        ("Patient", "_filter", "birthdate eq never", "search.value-invalid"),
        ("Patient", "_filter", "_id pr true", "search.filter-operator"),
        ("Patient", "_filter", "gender pr maybe", "search.value-invalid"),
        ("Patient", "_filter", "gender in http://x", "search.no-terminology"),
        ("Patient", "_filter", "gender[active eq true] eq x", "search.filter-path"),
        ("Patient", "_filter:not", "gender eq male", "search.unknown-parameter"),
        ("Patient", "_list", "$current-allergies", "search.list-functional"),
        ("Patient", "_has:Task:status:_id", "1", "search.chain-not-a-reference"),
        ("Patient", "_has:Task:part-of:_id", "1", "search.target-unknown"),
        ("Patient", "_has::patient:_id", "1", "search.has-invalid"),
        ("Patient", "gender:in", "http://x", "search.no-terminology"),
        ("Patient", "gender:above", "x", "search.no-terminology"),
        ("Patient", "birthdate:above", "2020", "search.modifier-not-supported"),
        ("Patient", "_text", '"x', "search.full-text-invalid"),
        ("Patient", "_content:exact", "x", "search.modifier-not-supported"),
        ("Patient", "_filter", "_text pr true", "search.filter-operator"),
        ("Task", "_has:Task:part-of:" * 7 + "_id", "1", "search.chain-too-deep"),
        ("Patient", "given:missing", "true,false", "search.value-invalid"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    type: str, name: str, text: str, rule: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        ask(type, (name, text))
    assert [issue.rule for issue in refusal.value.issues] == [rule]


def test_a_chain_through_any_type_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CRITERIA_MAX", 5)
    assert faults("Task", ("focus.identifier", "x")) == ["search.chain-too-wide"]


def test_the_links_of_a_search_are_bounded_together() -> None:
    chained = ("link:Patient.link:Patient.name", "a")
    pointed = ("_has:Observation:subject:_has:Provenance:target:_id", "a")
    half = [chained] * (LINKS_MAX // 4) + [pointed] * (LINKS_MAX // 4)
    assert ask("Patient", *half).ignored == ()
    assert faults("Patient", *half, chained) == ["search.too-many-links"]


def test_what_refers_to_a_resource_is_read_at_any_depth() -> None:
    text = "_has:Task:patient:part-of.owner._has:CareTeam:participant:status"
    (outer,) = ask("Patient", (text, "active")).clauses
    assert isinstance(outer, Clause)
    assert outer.reverse
    ((type, inner),) = outer.chain
    assert type == "Task"
    assert isinstance(inner, Clause)
    assert (inner.parameter.code, inner.reverse) == ("part-of", False)


class Terms:
    """A terminology that knows one value set of a given size."""

    def __init__(self, size: int) -> None:
        self.size = size

    def expansion(self, value_set: str) -> Collection[Code] | None:
        if value_set != "urn:known":
            return None
        return [("http://hl7.org/fhir/administrative-gender", str(n)) for n in range(self.size)]

    def above(self, system: str, code: str) -> Collection[Code] | None:
        return None

    def below(self, system: str, code: str) -> Collection[Code] | None:
        return [(system, code)]


def test_codes_are_asked_for_under_the_system_of_their_index_rows() -> None:
    query = parse("Patient", [("gender:in", "urn:known")], strict=True, terminology=Terms(2))
    (clause,) = query.clauses
    assert isinstance(clause, Clause)
    assert clause.values == (((("", "0"), ("", "1")),),)
    below = parse("Patient", [("gender:below", "male")], strict=True, terminology=Terms(0))
    assert isinstance(below.clauses[0], Clause)
    assert below.clauses[0].values == (((("", "male"),),),)
    for name, text, size, rule in (
        ("gender:in", "urn:unknown", 1, "search.value-set-unknown"),
        ("gender:above", "male", 1, "search.code-unknown"),
        ("gender:not-in", "urn:known", EXPANSION_MAX + 1, "search.expansion-too-large"),
        ("identifier:below", "no-system", 1, "search.value-invalid"),
    ):
        with pytest.raises(Invalid) as refusal:
            parse("Patient", [(name, text)], strict=True, terminology=Terms(size))
        assert [issue.rule for issue in refusal.value.issues] == [rule]


def test_a_criterion_on_several_types_holds_for_each_as_it_says() -> None:
    def of(name: str, text: str) -> object:
        query = parse_system([("_type", "Patient,Task"), (name, text)], strict=True)
        (criterion,) = query.clauses
        return criterion.operator if isinstance(criterion, Combined) else criterion.name

    assert of("identifier", "x") == "or"
    assert of("identifier:not", "x") == "and"
    assert of("identifier:missing", "true") == "and"
    assert of("identifier:missing", "false") == "or"
    assert of("_id", "x") == "_id"
    with pytest.raises(Invalid):
        of("gender", "male")


def test_a_compartment_has_its_types_and_an_address() -> None:
    assert compartments() == ("Device", "Encounter", "Patient", "Practitioner", "RelatedPerson")
    assert compartment("Patient")["CareTeam"] == ("participant", "patient")
    assert compartment("Task") == {}
    query = parse_compartment(Key("Patient", "1"), "CareTeam", [], strict=True)
    assert query is not None
    assert (query.type, query.address) == ("CareTeam", "Patient/1/CareTeam")
    assert parse_compartment(Key("Patient", "1"), "Task", [], strict=True) is None
    assert parse_compartment(Key("Task", "1"), "*", [], strict=True) is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("48.8|2.3", NearValue(48.8, 2.3, 10_000.0)),
        ("48.8|2.3|5", NearValue(48.8, 2.3, 5_000.0)),
        ("-48.8|-2.3|5|m", NearValue(-48.8, -2.3, 5.0)),
        ("0|180|1|[mi_i]", NearValue(0.0, 180.0, 1_609.344)),
        ("48.8", None),
        ("91|0", None),
        ("0|181", None),
        ("0|0||km", None),
        ("0|0|-1", None),
        ("0|0|1|league", None),
        ("nan|0|1", None),
        ("0|0|1|km|x", None),
    ],
)
def test_a_place_is_read_with_its_distance(text: str, read: NearValue | None) -> None:
    if read is not None:
        assert near_value(text) == read
        return
    with pytest.raises(BadValue):
        near_value(text)


def test_the_box_around_a_place_knows_poles_and_the_date_line() -> None:
    assert box(NearValue(0.0, 179.9, 100_000)).west > box(NearValue(0.0, 179.9, 100_000)).east
    assert box(NearValue(89.9, 0.0, 100_000))[2:] == (-180.0, 180.0)
    found = box(NearValue(45.0, 5.0, 1_000))
    assert found.south < 45 < found.north
    assert found.west < 5 < found.east


def test_a_condition_may_be_of_the_whole_language() -> None:
    query = parse_criteria("Patient", "_has:Task:patient:status=draft&identifier=urn%3Aa%7C1")
    assert [clause.name for clause in query.clauses] == ["_has:Task:patient:status", "identifier"]
    assert isinstance(query.clauses[1], Clause)
    assert query.clauses[1].values == (TokenValue("urn:a", "1"),)


NAMES = st.sampled_from(
    ["_has", "_filter", "_list", "_type", "_id", "identifier", "family", "birthdate", "patient",
     "general-practitioner", "Task", "Patient", "name", "missing", "in", "below", "above", "not",
     "of-type", "text", "identifier", "exact", "*", "", "_include", "iterate", "é", "'; DROP"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(NAMES, st.sampled_from([":", ".", "", "[", " "])), max_size=6).map(
                lambda parts: "".join(a + b for a, b in parts)
            ),
            st.text(max_size=30)
            | st.sampled_from(["a|b", "a|b|c", "2020", "Task/1", "1$2", "' OR 1=1 --", "a eq 1"]),
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_any_search_is_understood_or_refused(pairs: list[tuple[str, str]], strict: bool) -> None:
    for read in (
        lambda: parse("Patient", pairs, strict=strict, terminology=Terms(1)),
        lambda: parse_system(pairs, strict=strict, terminology=Terms(1)),
        lambda: parse_compartment(Key("Patient", "1"), "*", pairs, strict=strict),
    ):
        try:
            query = read()
        except Invalid:
            continue
        assert query is not None
        query.self_pairs()


def test_a_tree_is_flat_where_one_operator_stands_in_a_row() -> None:
    tree = parse_filter(" and ".join(f"a eq {n}" for n in range(50)))
    assert isinstance(tree, Joined)
    assert len(tree.parts) == 50
