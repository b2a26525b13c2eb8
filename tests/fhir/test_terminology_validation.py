"""Codes looked for in code systems and value sets."""

import pytest

from passerelle.fhir.terminology.code_system import CodeSystem
from passerelle.fhir.terminology.concept_status import Coded
from passerelle.fhir.terminology.displays import display_in, languages
from passerelle.fhir.terminology.expansion import expand
from passerelle.fhir.terminology.validation import (
    Asked,
    Verdict,
    any_of,
    in_code_system,
    in_value_set,
)
from tests.fhir.term_source_in_memory import InMemory
from tests.made_packages import COLOURS, NOW, all_colours, code_system, value_set

SYSTEM = CodeSystem(code_system())
HERE = Asked(NOW)


def rules(verdict: Verdict):
    return [each.rule for each in verdict.issues]


def test_a_code_is_found_with_its_display():
    found = in_code_system(SYSTEM, "bleu", None, HERE)
    assert (found.result, found.display, found.coded) == (
        True,
        "Bleu",
        Coded(COLOURS, "bleu", "Bleu"),
    )


def test_case_is_no_matter_where_the_system_says_so():
    assert in_code_system(SYSTEM, "BLEU", None, HERE).result
    strict = CodeSystem(code_system() | {"caseSensitive": True})
    assert not in_code_system(strict, "BLEU", None, HERE).result


def test_a_code_that_is_not_there_is_none_and_in_a_part_may_be_one():
    assert rules(in_code_system(SYSTEM, "vert", None, HERE)) == ["terminology.code-unknown"]
    part = CodeSystem(code_system() | {"content": "fragment"})
    assert rules(in_code_system(part, "vert", None, HERE)) == ["terminology.code-not-here"]


@pytest.mark.parametrize("display", ["Bleu", "bleu", "BLEU ", "Blue"])
def test_a_display_may_be_any_name_of_the_concept(display):
    assert in_code_system(SYSTEM, "bleu", display, HERE).result


def test_a_wrong_display_is_told_with_the_right_one():
    found = in_code_system(SYSTEM, "bleu", "Vert", HERE)
    assert not found.result
    assert "Bleu" in found.issues[0].text


def test_an_ended_code_says_its_end_and_what_replaced_it():
    found = in_code_system(SYSTEM, "garance", None, HERE)
    assert found.result
    assert found.is_over
    assert found.status.ended == "2020-05-29T12:00:00+02:00"
    assert found.status.successors == (Coded(COLOURS, "rouge"),)
    assert rules(found) == ["terminology.ended-replaced"]
    assert "29" in found.issues[0].text
    assert "rouge" in found.issues[0].text


def test_a_code_was_in_use_before_its_end():
    before = Asked(NOW - 10 * 366 * 86_400 * 1_000_000)
    found = in_code_system(SYSTEM, "garance", None, before)
    assert (found.result, found.is_over, found.issues) == (True, False, ())


def test_only_codes_in_use_when_that_is_asked():
    assert not in_code_system(SYSTEM, "garance", None, Asked(NOW, active_only=True)).result
    assert in_code_system(SYSTEM, "bleu", None, Asked(NOW, active_only=True)).result


def test_a_code_that_only_groups_is_not_to_be_used_unless_that_is_said():
    assert rules(in_code_system(SYSTEM, "chaude", None, HERE)) == ["terminology.abstract"]
    assert in_code_system(SYSTEM, "chaude", None, Asked(NOW, abstract=True)).result


@pytest.mark.parametrize(
    ("properties", "over", "ended"),
    [
        ([("inactive", "valueBoolean", True)], True, None),
        ([("status", "valueCode", "retired")], True, None),
        ([("status", "valueCode", "R")], True, None),
        ([("status", "valueCode", "deprecated")], False, None),
        ([("status", "valueCode", "active")], False, None),
        ([("deprecated", "valueCode", "2.9")], False, None),
        ([("dateFin", "valueDateTime", "2026-01-11")], True, "2026-01-11"),
        ([("dateFin", "valueDateTime", "2026-01-12")], False, "2026-01-12"),
        ([("retirementDate", "valueDateTime", "2025")], False, None),
        ([("deprecationDate", "valueDateTime", "2025-06")], True, "2025-06"),
    ],
)
def test_each_way_to_end_a_code_is_understood(properties, over, ended):
    said = [{"code": code, element: value} for code, element, value in properties]
    system = CodeSystem(code_system() | {"concept": [{"code": "x", "property": said}]})
    found = in_code_system(system, "x", None, HERE)
    assert (found.is_over, found.status.ended) == (over, ended)


@pytest.mark.anyio
async def test_a_code_is_looked_for_in_a_value_set():
    expansion = await expand(all_colours(), InMemory(code_system()))
    assert in_value_set(expansion, "bleu", COLOURS, None, HERE).result
    assert in_value_set(expansion, "bleu", None, None, HERE).result
    assert in_value_set(expansion, "BLEU", COLOURS, None, HERE).result
    assert rules(in_value_set(expansion, "vert", COLOURS, None, HERE)) == [
        "terminology.not-in-value-set"
    ]
    assert not in_value_set(expansion, "bleu", "urn:other", None, HERE).result


@pytest.mark.anyio
async def test_a_value_set_of_codes_in_use_has_no_ended_code():
    in_use = value_set("urn:vs", {"inactive": False, "include": [{"system": COLOURS}]})
    expansion = await expand(in_use, InMemory(code_system()))
    assert not in_value_set(expansion, "garance", COLOURS, None, HERE).result


@pytest.mark.anyio
async def test_a_code_of_two_systems_needs_its_system():
    part = [{"system": url, "concept": [{"code": "x"}]} for url in ("urn:a", "urn:b")]
    expansion = await expand(value_set("urn:vs", {"include": part}), InMemory())
    assert rules(in_value_set(expansion, "x", None, None, HERE)) == ["terminology.system-needed"]


@pytest.mark.anyio
async def test_where_a_part_is_missing_the_answer_says_so():
    part = [{"system": "urn:a"}, {"system": "urn:b", "concept": [{"code": "x"}]}]
    expansion = await expand(value_set("urn:vs", {"include": part}), InMemory())
    assert in_value_set(expansion, "x", "urn:b", None, HERE).result
    assert rules(in_value_set(expansion, "y", "urn:a", None, HERE)) == [
        "terminology.not-in-value-set",
        "terminology.system-unknown",
    ]


def test_one_good_coding_suffices_and_else_all_is_told():
    good = in_code_system(SYSTEM, "bleu", None, HERE)
    bad = in_code_system(SYSTEM, "vert", None, HERE)
    assert any_of([bad, good]) is good
    assert rules(any_of([bad, bad])) == ["terminology.code-unknown"]
    assert rules(any_of([])) == ["terminology.no-coding"]


def test_a_display_is_given_in_the_language_asked_for():
    concept = SYSTEM.concepts["bleu"]
    names = (concept.display, concept.designations, "fr")
    assert display_in(("en",), *names) == "Blue"
    assert display_in(("de", "en-GB"), *names) == "Blue"
    assert display_in(("fr-FR", "en"), *names) == "Bleu"
    assert display_in(("de",), *names) == "Bleu"
    assert languages("fr-FR, en;q=0.8, *") == ("fr-fr", "en")
    assert languages(None) == ()
