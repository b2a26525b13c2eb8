"""Concept maps, both ways."""

import pytest

from passerelle.fhir.terminology.concept_status import Coded
from passerelle.fhir.terminology.terminology_answers import translated
from passerelle.fhir.terminology.translation import Wanted, is_translated, translate
from tests.fhir.term_source_in_memory import InMemory
from tests.made_packages import COLOURS, MAP, OLD_COLOURS, concept_map

pytestmark = pytest.mark.anyio


async def found(code, system=COLOURS, *, maps=None, source=None, **more):
    listed = [concept_map()] if maps is None else maps
    matches = await translate(listed, Wanted(code, system, **more), source or InMemory())
    return [(each.equivalence, each.coded and each.coded.code) for each in matches], matches


async def test_a_code_is_translated():
    said, matches = await found("rouge")
    assert said == [("wider", "R")]
    assert matches[0].coded.system == OLD_COLOURS
    assert matches[0].map == MAP
    assert is_translated(matches)


async def test_a_code_that_has_no_match_says_so():
    said, matches = await found("bleu")
    assert said == [("unmatched", None)]
    assert not is_translated(matches)
    assert (await found("vert"))[0] == []


async def test_the_other_way_turns_wider_into_narrower():
    assert (await found("R", OLD_COLOURS, reverse=True))[0] == [("narrower", "rouge")]


async def test_only_to_the_system_asked_for():
    assert (await found("rouge", target_system="urn:other"))[0] == []
    assert (await found("rouge", target_system=OLD_COLOURS))[0] == [("wider", "R")]
    assert (await found("rouge", "urn:other"))[0] == []


async def test_what_is_not_mapped_is_done_with_as_the_group_says():
    provided = concept_map(unmapped={"mode": "provided"})
    assert (await found("vert", maps=[provided]))[0] == [("equal", "vert")]
    fixed = concept_map(unmapped={"mode": "fixed", "code": "X"})
    assert (await found("vert", maps=[fixed]))[0] == [("inexact", "X")]


async def test_a_map_that_refers_on_to_itself_ends():
    circle = concept_map(unmapped={"mode": "other-map", "url": MAP})
    assert (await found("vert", maps=[circle], source=InMemory(circle)))[0] == []
    onward = concept_map(unmapped={"mode": "other-map", "url": "urn:next"})
    other = concept_map(unmapped={"mode": "fixed", "code": "X"}) | {"url": "urn:next"}
    source = InMemory(onward, other)
    assert (await found("vert", maps=[onward], source=source))[0] == [("inexact", "X")]


DEPENDS = {"property": "urn:genre", "system": "urn:genres", "value": "f"}
PRODUCT = {"property": "urn:ton", "system": "urn:tons", "value": "clair", "display": "Clair"}


def depending():
    element = {
        "code": "rouge",
        "target": [
            {"code": "R", "equivalence": "equivalent", "dependsOn": [DEPENDS]},
            {"code": "S", "equivalence": "wider", "product": [PRODUCT]},
        ],
    }
    unmapped = {"mode": "fixed", "code": "autre"}
    return [concept_map(element=[element], unmapped=unmapped)]


async def test_what_depends_on_other_values_holds_only_with_them():
    said, _ = await found("rouge", maps=depending())
    assert said == [("wider", "S")]
    given = (("urn:genre", Coded("urn:genres", "f")),)
    said, _ = await found("rouge", maps=depending(), dependencies=given)
    assert said == [("equivalent", "R"), ("wider", "S")]
    other = (("urn:genre", Coded("urn:autres", "f")), ("urn:ton", Coded("urn:genres", "f")))
    said, _ = await found("rouge", maps=depending(), dependencies=other)
    assert said == [("wider", "S")]


async def test_a_code_that_is_mapped_under_conditions_is_not_an_unmapped_one():
    only = depending()
    only[0]["group"][0]["element"][0]["target"].pop()
    assert (await found("rouge", maps=only))[0] == []
    assert (await found("vert", maps=only))[0] == [("inexact", "autre")]


async def test_what_comes_with_a_translation_is_told():
    _, matches = await found("rouge", maps=depending())
    assert matches[0].products == (("urn:ton", Coded("urn:tons", "clair", "Clair")),)
    match = translated(matches)["parameter"][1]["part"]
    assert {"name": "element", "valueUri": "urn:ton"} in match[2]["part"]
