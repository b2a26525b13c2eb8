"""Members of value sets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Unprocessable
from passerelle.fhir.terminology.code_system import CodeSystem
from passerelle.fhir.terminology.expansion import FILTER_LOOKS, expand
from passerelle.fhir.terminology.missing_terms import missing_system, missing_value_set
from passerelle.fhir.terminology.pinned_versions import PinnedSource, Pins, by_system
from passerelle.fhir.terminology.value_set_filters import filtered
from tests.fhir.term_source_in_memory import InMemory
from tests.made_packages import (
    ALL,
    COLOURS,
    WARM,
    all_colours,
    code_system,
    value_set,
    warm_colours,
)

pytestmark = pytest.mark.anyio

SOURCE = InMemory(code_system(), all_colours(), warm_colours())
EVERY = ["chaude", "rouge", "carmin", "orange", "bleu", "garance"]


async def codes(compose, source=SOURCE, **more):
    found = await expand(value_set("https://exemple.fr/vs", compose), source, **more)
    assert found.unresolved == ()
    return [code for _, code in found.members]


def of(*filters, **part):
    listed = [dict(zip(("property", "op", "value"), each, strict=True)) for each in filters]
    return {"system": COLOURS} | ({"filter": listed} if listed else {}) | part


async def test_a_system_alone_is_all_of_it_in_its_order():
    assert await codes({"include": [of()]}) == EVERY


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (("concept", "is-a", "chaude"), ["chaude", "rouge", "carmin", "orange"]),
        (("concept", "descendent-of", "chaude"), ["rouge", "carmin", "orange"]),
        (("concept", "is-not-a", "chaude"), ["bleu", "garance"]),
        (("concept", "generalizes", "carmin"), ["chaude", "rouge", "carmin"]),
        (("teinte", "=", "vive"), ["rouge"]),
        (("code", "in", "bleu, rouge"), ["rouge", "bleu"]),
        (("code", "not-in", "bleu,rouge"), ["chaude", "carmin", "orange", "garance"]),
        (("code", "regex", "[a-c].*"), ["chaude", "carmin", "bleu"]),
        (("display", "regex", "Bleu"), ["bleu"]),
        (("dateFin", "exists", "true"), ["garance"]),
        (("teinte", "exists", "false"), ["chaude", "carmin", "orange", "bleu", "garance"]),
        (("parent", "=", "rouge"), ["carmin"]),
        (("child", "=", "carmin"), ["rouge"]),
        (("concept", "is-a", "inconnue"), []),
    ],
)
async def test_each_filter_takes_what_it_says(filter, expected):
    assert await codes({"include": [of(filter)]}) == expected


async def test_several_filters_all_hold():
    both = of(("concept", "is-a", "chaude"), ("teinte", "exists", "true"))
    assert await codes({"include": [both]}) == ["rouge"]


@pytest.mark.parametrize(
    "filter",
    [
        ("code", "regex", "(?=a)b"),
        ("code", "regex", "a" * 501),
        ("code", "exists", "maybe"),
        ("code", "like", "x"),
    ],
)
async def test_a_filter_that_cannot_be_applied_is_told(filter):
    found = await expand(value_set(ALL, {"include": [of(filter)]}), SOURCE)
    assert [each.rule for each in found.unresolved] == ["terminology.filter-unusable"]


async def test_a_regular_expression_that_would_never_end_is_answered_at_once():
    long = code_system() | {"concept": [{"code": "a" * 5_000 + "!"}]}
    hostile = of(("code", "regex", "(a+)+"))
    assert await codes({"include": [hostile]}, InMemory(long)) == []


async def test_listed_concepts_take_what_the_system_knows_and_their_own_words_first():
    listed = [{"code": "bleu", "display": "Azur"}, {"code": "ROUGE"}, {"code": "nouveau"}]
    found = await expand(value_set(ALL, {"include": [of(concept=listed)]}), SOURCE)
    members = list(found.members.values())
    assert [each.code for each in members] == ["bleu", "rouge", "nouveau"]
    assert [each.display for each in members] == ["Azur", "Rouge", None]
    assert members[0].designations[0].value == "Blue"


async def test_listed_concepts_need_no_system_at_hand():
    part = {"system": "urn:absent", "concept": [{"code": "x", "display": "X"}]}
    assert await codes({"include": [part]}) == ["x"]


async def test_value_sets_are_imported_and_what_is_excluded_is_out():
    assert await codes({"include": [{"valueSet": [ALL, WARM]}]}) == ["rouge", "carmin", "orange"]
    assert await codes({"include": [of(valueSet=[WARM])]}) == ["rouge", "carmin", "orange"]
    compose = {"include": [{"valueSet": [ALL]}], "exclude": [{"valueSet": [f"{WARM}|1.0.0"]}]}
    assert await codes(compose) == ["chaude", "bleu", "garance"]


async def test_what_imports_itself_is_told_and_ends():
    itself = value_set(ALL, {"include": [{"valueSet": [ALL]}]})
    found = await expand(itself, InMemory(itself))
    assert [each.rule for each in found.unresolved] == ["terminology.imports-itself"]


async def test_what_is_missing_is_told():
    compose = {"include": [{"system": "urn:a"}, {"valueSet": ["urn:b"]}]}
    found = await expand(value_set(ALL, compose), SOURCE)
    rules = [each.rule for each in found.unresolved]
    assert rules == ["terminology.system-unknown", "terminology.value-set-unknown"]
    nothing = await expand(value_set(ALL), SOURCE)
    assert [each.rule for each in nothing.unresolved] == ["terminology.nothing-to-expand"]


async def test_a_published_expansion_stands_in_for_what_cannot_be_computed():
    contains = [
        {"system": "urn:a", "code": "1", "abstract": True, "contains": [{"code": "x"}]},
        {"system": "urn:a", "code": "2", "inactive": True},
    ]
    compose = {"include": [{"system": "urn:a"}]}
    published = value_set(ALL, compose, expansion={"contains": contains})
    for found in (
        await expand(published, SOURCE),
        await expand(value_set(ALL, compose), SOURCE, published=published),
    ):
        assert found.is_published
        assert found.unresolved == ()
        assert [each.status.inactive for each in found.members.values()] == [False, True]


async def test_a_part_of_a_system_is_told_to_be_one():
    source = InMemory(code_system() | {"content": "fragment"})
    found = await expand(all_colours(), source)
    assert [each.rule for each in found.unresolved] == ["terminology.system-in-part"]
    assert len(found.members) == 6


async def test_a_value_set_over_the_limit_is_too_costly():
    with pytest.raises(Unprocessable) as caught:
        await expand(all_colours(), SOURCE, members_max=5)
    assert caught.value.issues[0].code == "too-costly"


async def test_a_circle_of_concepts_ends():
    circle = [
        {"code": "a", "property": [{"code": "parent", "valueCode": "b"}]},
        {"code": "b", "property": [{"code": "parent", "valueCode": "a"}]},
    ]
    source = InMemory(code_system() | {"concept": circle})
    assert await codes({"include": [of(("concept", "is-a", "a"))]}, source) == ["a", "b"]


async def test_value_sets_that_fan_out_are_each_computed_once():
    def step(number):
        twice = [{"valueSet": [f"urn:{number + 1}"]}] * 2
        return value_set(f"urn:{number}", {"include": twice})

    steps = [step(number) for number in range(18)]
    last = value_set("urn:18", {"include": [of()]})
    found = await expand(steps[0], InMemory(code_system(), last, *steps))
    assert len(found.members) == 6


async def test_what_is_included_500_times_is_looked_at_once():
    below = of(("concept", "is-a", "chaude"))
    looks = FILTER_LOOKS * len(EVERY) + 4
    once = await codes({"include": [below]}, looks_max=looks)
    assert await codes({"include": [below] * 500}, looks_max=looks) == once
    left = [{"code": "bleu"}]
    bare = await codes({"include": [of()] * 500, "exclude": [of(concept=left)] * 500}, looks_max=7)
    assert bare == [code for code in EVERY if code != "bleu"]


async def test_what_takes_too_much_looking_is_refused():
    below = [of(("concept", "is-a", code)) for code in EVERY]
    with pytest.raises(Unprocessable) as caught:
        await codes({"include": below}, looks_max=100)
    assert caught.value.issues[0].rule == "terminology.too-many-looks"
    assert caught.value.issues[0].code == "too-costly"


async def test_when_what_is_excluded_is_not_known_nothing_is_said_to_be_in():
    absent = {"valueSet": ["urn:absent"]}
    for included in ([of()], [of(), absent]):
        compose = {"include": included, "exclude": [absent]}
        found = await expand(value_set(ALL, compose), SOURCE)
        assert found.members == {}
        assert [each.rule for each in found.unresolved] == ["terminology.value-set-unknown"]


@pytest.mark.parametrize(
    ("url", "rule", "said"),
    [
        ("http://terminology.hl7.org/CodeSystem/x", "terminology.in-package", "hl7.terminology.r4"),
        ("https://mos.esante.gouv.fr/NOS/x", "terminology.in-package", "ans.fr.terminologies"),
        ("http://snomed.info/sct", "terminology.no-public-package", "éditeur"),
        ("http://hl7.org/fhir/sid/icd-10", "terminology.no-public-package", "éditeur"),
    ],
)
def test_what_is_missing_is_told_with_where_it_may_be_had(url, rule, said):
    for issues in (missing_system(url), missing_value_set(url)):
        assert issues[1].rule == rule
        assert said in issues[1].text


def test_of_an_unknown_publisher_nothing_is_said():
    assert len(missing_system("urn:a")) == 1


async def test_a_code_may_have_many_below_it():
    below = [{"code": str(number)} for number in range(20_000)]
    wide = CodeSystem(code_system() | {"concept": [{"code": "a", "concept": below}]})
    assert len(wide.descendants("a")) == 20_000
    assert wide.parents["7"] == ("a",)


def test_supplements_add_names_and_properties_and_nothing_else():
    added = {
        "resourceType": "CodeSystem",
        "url": "urn:supplement",
        "content": "supplement",
        "supplements": COLOURS,
        "language": "de",
        "concept": [
            {
                "code": "bleu",
                "display": "Blau",
                "designation": [{"language": "it", "value": "Blu"}],
                "property": [{"code": "teinte", "valueCode": "froide"}],
                "concept": [{"code": "rouge"}, {"code": "vert"}],
            }
        ],
    }
    system = CodeSystem(code_system(), [added])
    names = [(each.language, each.value) for each in system.concepts["bleu"].designations]
    assert names == [("en", "Blue"), ("de", "Blau"), ("it", "Blu")]
    assert system.concepts["bleu"].supplemented == (("teinte", "valueCode", "froide"),)
    assert "vert" not in system.concepts
    assert system.descendants("bleu") == frozenset()
    assert list(filtered(system, "teinte", "exists", "true")) == ["rouge"]


async def test_versions_may_be_fixed_demanded_and_forced():
    old = code_system("0.9.0") | {"concept": [{"code": "gris"}]}
    source = InMemory(code_system(), old)

    async def found(pins, **part):
        made = await expand(value_set(ALL, {"include": [of(**part)]}), PinnedSource(source, pins))
        return [code for _, code in made.members]

    fixed = {COLOURS: "0.9.0"}
    assert await found(Pins()) == EVERY
    assert await found(Pins(default=fixed)) == ["gris"]
    assert await found(Pins(default=fixed), version="1.0.0") == EVERY
    assert await found(Pins(forced=fixed), version="1.0.0") == ["gris"]
    assert await found(Pins(demanded=fixed)) == ["gris"]
    with pytest.raises(Unprocessable) as caught:
        await found(Pins(demanded=fixed), version="1.0.0")
    assert caught.value.issues[0].rule == "terminology.version-differs"
    assert by_system(["urn:a|1", "urn:b"]) == {"urn:a": "1"}


PART = st.sets(st.sampled_from(EVERY))


@given(st.lists(PART, max_size=4), st.lists(PART, max_size=3))
@settings(max_examples=50, deadline=None)
def test_a_value_set_is_the_union_of_includes_less_that_of_excludes(includes, excludes):
    def parts(listed):
        return [of(concept=[{"code": code} for code in sorted(codes_)]) for codes_ in listed]

    compose = {"include": parts(filter(None, includes)), "exclude": parts(filter(None, excludes))}
    work = expand(value_set(ALL, compose), SOURCE)
    with pytest.raises(StopIteration) as done:
        work.send(None)
    found = {code for _, code in done.value.value.members}
    assert found == set().union(*includes) - set().union(*excludes)
