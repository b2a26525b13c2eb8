"""The terminology service over a record, on both databases."""

import pytest

from passerelle.dossiers import packages
from passerelle.dossiers.expansion_pages import ExpandAsked
from passerelle.dossiers.search_terms import parsed
from passerelle.dossiers.term_cache import TermCache
from passerelle.dossiers.terminology import Named, Terms
from passerelle.errors.refusals import Invalid, NotFound, Unprocessable
from passerelle.fhir.packages.package_reading import PackageKey
from passerelle.fhir.search.query import Query
from passerelle.fhir.terminology.canonicals import Canonical
from passerelle.fhir.terminology.concept_status import Coded
from passerelle.fhir.terminology.terminology_answers import Shown
from passerelle.fhir.terminology.validation import Asked
from passerelle.store.caller import SYSTEM
from tests.made_packages import (
    ALL,
    COLOURS,
    MAP,
    NOW,
    OLD_COLOURS,
    WARM,
    archive,
    code_system,
    colours,
    concept_map,
    value_set,
)

pytestmark = pytest.mark.anyio

HERE = Asked(NOW)


def canonical(text):
    return Named(canonical=Canonical(*text.split("|")))


@pytest.fixture
async def terms(gateway):
    await packages.add(gateway, colours())
    return Terms(gateway, SYSTEM)


def codes(expanded):
    return [each["code"] for each in expanded["expansion"].get("contains", ())]


def named(parameters, name):
    return next(
        (
            next(value for key, value in each.items() if key != "name")
            for each in parameters["parameter"]
            if each["name"] == name
        ),
        None,
    )


async def test_a_value_set_is_expanded_without_what_only_groups(terms):
    found = await terms.expand(canonical(ALL), ExpandAsked())
    assert codes(found) == ["rouge", "carmin", "orange", "bleu", "garance"]
    assert found["expansion"]["total"] == 5
    assert "compose" not in found
    assert found["url"] == ALL
    assert found["expansion"]["contains"][-1]["inactive"] is True
    used = [each["valueUri"] for each in found["expansion"]["parameter"]]
    assert used == [f"{COLOURS}|1.0.0"]


async def test_an_expansion_is_filtered_paged_and_told_in_a_language(terms):
    assert codes(await terms.expand(canonical(ALL), ExpandAsked(text="ORANGE"))) == ["orange"]
    assert codes(await terms.expand(canonical(ALL), ExpandAsked(text="blue"))) == ["bleu"]
    page = await terms.expand(canonical(ALL), ExpandAsked(offset=1, count=2))
    assert (codes(page), page["expansion"]["total"]) == (["carmin", "orange"], 5)
    assert codes(await terms.expand(canonical(ALL), ExpandAsked(offset=9))) == []
    active = await terms.expand(canonical(ALL), ExpandAsked(active_only=True))
    assert "garance" not in codes(active)
    english = ExpandAsked(text="bleu", languages=("en",), shown=Shown(designations=True))
    (blue,) = (await terms.expand(canonical(ALL), english))["expansion"]["contains"]
    assert blue["display"] == "Blue"
    assert blue["designation"] == [{"language": "en", "value": "Blue"}]


async def test_an_expansion_may_keep_the_definition(terms):
    found = await terms.expand(canonical(ALL), ExpandAsked(shown=Shown(definition=True)))
    assert found["compose"] == {"include": [{"system": COLOURS}]}


async def test_a_page_that_is_too_large_is_refused(gateway):
    many = [{"code": f"c{number}"} for number in range(10_001)]
    system = code_system() | {"concept": many}
    await packages.add(gateway, archive({"package/CodeSystem-c.json": system}))
    vs = Named(resource=value_set(ALL, {"include": [{"system": COLOURS}]}))
    with pytest.raises(Unprocessable) as caught:
        await Terms(gateway, SYSTEM).expand(vs, ExpandAsked())
    assert caught.value.issues[0].code == "too-costly"
    page = await Terms(gateway, SYSTEM).expand(vs, ExpandAsked(offset=10_000, count=10))
    assert codes(page) == ["c10000"]


async def test_what_is_handed_in_is_checked(terms):
    with pytest.raises(Invalid):
        await terms.expand(Named(resource={"resourceType": "Basic"}), ExpandAsked())
    with pytest.raises(Invalid):
        await terms.expand(Named(resource={"resourceType": "ValueSet"}), ExpandAsked())


async def test_what_is_not_there_is_told(terms):
    with pytest.raises(NotFound):
        await terms.expand(canonical("urn:absent"), ExpandAsked())
    with pytest.raises(NotFound):
        await terms.expand(canonical(f"{ALL}|9.9.9"), ExpandAsked())
    with pytest.raises(NotFound):
        await terms.look_up(canonical("urn:absent"), "x", HERE)
    with pytest.raises(NotFound):
        await terms.look_up(canonical(COLOURS), "vert", HERE)
    with pytest.raises(NotFound):
        await terms.translate(canonical("urn:absent"), [Coded(COLOURS, "rouge")])


async def test_codes_are_validated(terms):
    rouge = [{"system": COLOURS, "code": "rouge"}]
    assert (await terms.validate_in_value_set(canonical(WARM), rouge, HERE)).result
    bleu = [{"system": COLOURS, "code": "bleu"}]
    assert not (await terms.validate_in_value_set(canonical(WARM), bleu, HERE)).result
    assert (await terms.validate_in_value_set(canonical(WARM), bleu + rouge, HERE)).result
    assert (await terms.validate_in_code_system(None, bleu, HERE)).result
    with pytest.raises(Invalid):
        await terms.validate_in_code_system(None, [{"code": "bleu"}], HERE)


async def test_what_is_known_of_a_code_is_looked_up(terms):
    found = await terms.look_up(canonical(COLOURS), "garance", HERE)
    assert named(found, "display") == "Garance"
    assert named(found, "version") == "1.0.0"
    assert named(found, "ended") == "2020-05-29T12:00:00+02:00"
    assert named(found, "replacement") == {"system": COLOURS, "code": "rouge"}
    assert named(found, "inactive") is True
    rouge = await terms.look_up(canonical(COLOURS), "rouge", HERE, ["parent", "child"])
    said = [each["part"] for each in rouge["parameter"] if each["name"] == "property"]
    assert [part[1]["valueCode"] for part in said] == ["chaude", "carmin"]


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ("chaude", "carmin", "subsumes"),
        ("carmin", "chaude", "subsumed-by"),
        ("BLEU", "bleu", "equivalent"),
        ("bleu", "rouge", "not-subsumed"),
    ],
)
async def test_one_code_may_take_in_another(terms, one, other, outcome):
    found = await terms.subsumes(canonical(COLOURS), one, other)
    assert named(found, "outcome") == outcome


async def test_codes_are_translated_by_the_map_or_between_value_sets_or_from_a_system(terms):
    rouge = [Coded(COLOURS, "rouge")]
    source, target = Canonical(ALL), Canonical(OLD_COLOURS + "/vs")
    for found in (
        await terms.translate(canonical(MAP), rouge),
        await terms.translate(None, rouge),
        await terms.translate(None, rouge, source=source, target=target),
        await terms.translate(Named(resource=concept_map()), rouge),
    ):
        assert named(found, "result") is True
    back = await terms.translate(canonical(MAP), [Coded(OLD_COLOURS, "R")], reverse=True)
    assert named(back, "match")[1]["valueCoding"]["code"] == "rouge"


async def test_the_newest_version_is_meant_unless_one_is_named(gateway, terms):
    newer = code_system("2.0.0") | {"concept": [{"code": "vert"}]}
    body = archive({"package/CodeSystem-couleurs.json": newer}, version="2.0.0")
    assert not (await terms.code_system(canonical(COLOURS))).find("vert")
    await packages.add(gateway, body)
    assert (await terms.code_system(canonical(COLOURS))).find("vert")
    assert not (await terms.code_system(canonical(f"{COLOURS}|1.0.0"))).find("vert")
    await packages.remove(gateway, PackageKey("exemple.couleurs", "2.0.0"))
    assert not (await terms.code_system(canonical(COLOURS))).find("vert")


async def test_a_search_is_read_again_with_what_it_asked_for(gateway, terms):
    found = []

    def read(known):
        found[:] = (
            known.expansion(WARM),
            known.below(COLOURS, "rouge"),
            known.above(COLOURS, "carmin"),
            known.expansion("urn:absent"),
            known.below("", "rouge"),
            known.above(COLOURS, "vert"),
        )
        return Query("Patient")

    await parsed(gateway, SYSTEM, read)
    warm, below, above, *none = found
    assert warm == {(COLOURS, "rouge"), (COLOURS, "carmin"), (COLOURS, "orange")}
    assert below == {(COLOURS, "rouge"), (COLOURS, "carmin")}
    assert above == {(COLOURS, "carmin"), (COLOURS, "rouge"), (COLOURS, "chaude")}
    assert none == [None, None, None]
    with pytest.raises(Invalid):
        await parsed(gateway, SYSTEM, lambda known: [known.below(str(n), "") for n in range(999)])


def test_a_cache_holds_so_much_and_of_one_state_only():
    cache = TermCache(weight_max=10)
    cache.at(1)
    for key in "abc":
        cache.keep(key, 1, key, 4)
    assert [cache.get(key, 1) for key in "abc"] == [None, "b", "c"]
    cache.keep("d", 1, "d", 11)
    cache.keep("e", 0, "e", 1)
    assert cache.get("d", 1) is cache.get("e", 1) is None
    cache.at(2)
    assert cache.get("b", 2) is cache.get("b", 1) is None
