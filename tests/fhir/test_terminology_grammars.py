"""Code systems whose codes are said by a rule: media types, languages, addresses, units."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.fhir.packages.package_reading import read_package
from passerelle.fhir.terminology.expansion import expand
from passerelle.fhir.terminology.grammars import (
    ADDRESSES,
    CODE_MAX,
    LANGUAGES,
    MEDIA_TYPES,
    UNITS,
    holds,
)
from passerelle.fhir.terminology.ucum_units import is_unit
from passerelle.fhir.terminology.validation import Asked, by_rule, in_value_set
from tests.fhir.term_source_in_memory import InMemory
from tests.made_packages import ALL, NOW, value_set

pytestmark = pytest.mark.anyio
HERE = Asked(NOW)


@pytest.mark.parametrize(
    ("system", "good", "bad"),
    [
        (
            MEDIA_TYPES,
            ["text/plain", "application/fhir+json; charset=utf-8", 'a/b;c="d e"'],
            ["xml", "text/", "/plain", "text/plain;", "text plain", "text/plain\n"],
        ),
        (
            LANGUAGES,
            [
                "fr",
                "fr-FR",
                "zh-Hant-TW",
                "de-CH-1996",
                "x-a",
                "FR",
                "sr-Latn-RS-x-perso",
                "i-klingon",
            ],
            ["", "f", "fr_FR", "francais-de-france-et-plus", "fr-", "123", "fr-FR\n"],
        ),
        (
            ADDRESSES,
            ["urn:oid:1.2", "https://exemple.fr/a?b#c"],
            ["", "exemple", "urn:", "a b:c", "a:b c"],
        ),
        (
            UNITS,
            [
                "mg/dL",
                "10*9/L",
                "mmol/(8.h.kg)",
                "/min",
                "%",
                "m[H2O]",
                "{cells}/uL",
                "/100{WBC}",
                "mm[Hg]",
            ],
            ["", "mg//dL", "(m", "a b", "m)", "mg/", "{a", "m-"],
        ),
    ],
)
def test_each_rule_takes_what_its_paragraph_says(system, good, bad):
    assert [code for code in good if holds(system, code) is not True] == []
    assert [code for code in bad if holds(system, code) is not False] == []
    assert holds(system, "a" * (CODE_MAX + 1)) is False


def test_of_a_unit_that_is_in_no_table_it_is_not_said_that_it_is_none():
    assert is_unit("mmHg") is None
    assert by_rule(UNITS, "mmHg").issues[0].rule == "terminology.rule-not-sure"
    assert by_rule(UNITS, "mm[Hg]").result
    assert by_rule(UNITS, "//").issues[0].rule == "terminology.code-unknown"


@given(st.text(st.sampled_from("mgL/.*10^()[]{}'%+-x")), st.sampled_from([UNITS, LANGUAGES]))
@settings(max_examples=100, deadline=None)
def test_any_text_is_judged(text, system):
    assert holds(system, text) in (True, False, None)


async def expansion(include, *exclude, others=()):
    made = value_set(ALL, {"include": include, "exclude": list(exclude)})
    return await expand(made, InMemory(*others))


async def test_a_value_set_by_rule_judges_codes_though_it_has_no_list():
    found = await expansion([{"system": MEDIA_TYPES}])
    assert [each.rule for each in found.unresolved] == ["terminology.by-rule"]
    assert in_value_set(found, "text/plain", MEDIA_TYPES, None, HERE).result
    assert in_value_set(found, "text/plain", None, None, HERE).result
    wrong = in_value_set(found, "texte", MEDIA_TYPES, None, HERE)
    assert [each.rule for each in wrong.issues] == ["terminology.not-in-value-set"]
    other = in_value_set(found, "a", "urn:a", None, HERE)
    assert not other.result


async def test_what_is_excluded_of_a_rule_is_out():
    barred = {"system": LANGUAGES, "concept": [{"code": "fr-CA"}]}
    found = await expansion([{"system": LANGUAGES}], barred)
    assert in_value_set(found, "fr", LANGUAGES, None, HERE).result
    assert not in_value_set(found, "fr-CA", LANGUAGES, None, HERE).result
    unknown = await expansion([{"system": LANGUAGES}], {"system": LANGUAGES})
    assert not in_value_set(unknown, "fr", LANGUAGES, None, HERE).result


async def test_units_of_a_kind_are_those_that_are_measured_alike():
    time = {"property": "canonical", "op": "=", "value": "a"}
    found = await expansion([{"system": UNITS, "filter": [time]}])
    assert in_value_set(found, "min", UNITS, None, HERE).result
    assert not in_value_set(found, "mg", UNITS, None, HERE).result
    other = await expansion([{"system": UNITS, "filter": [time | {"property": "class"}]}])
    assert "terminology.filter-unusable" in [each.rule for each in other.unresolved]
    assert other.ruled == ()


async def test_a_rule_is_imported_unless_something_else_is_asked_beside():
    languages = value_set("urn:langues", {"include": [{"system": LANGUAGES}]})
    listed = value_set(
        "urn:deux", {"include": [{"system": LANGUAGES, "concept": [{"code": "fr"}]}]}
    )
    one = await expansion([{"valueSet": ["urn:langues"]}], others=(languages,))
    assert in_value_set(one, "en", LANGUAGES, None, HERE).result
    both = [{"valueSet": ["urn:langues", "urn:deux"]}]
    cut = await expansion(both, others=(languages, listed))
    assert not in_value_set(cut, "en", LANGUAGES, None, HERE).result


@pytest.mark.nightly
def test_every_unit_of_the_packages_is_one(shared):
    units = set()
    for file in (shared / "data" / "packages").glob("*.tgz"):
        for packaged in read_package(file.read_bytes()).resources:
            parts = packaged.resource.get("compose", {})
            if not isinstance(parts, dict):
                continue
            for part in parts.get("include", ()):
                if part.get("system") == UNITS:
                    units |= {each["code"] for each in part.get("concept", ())}
    print(f"{len(units)} units")
    assert len(units) > 1_000
    assert sorted(code for code in units if holds(UNITS, code) is not True) == []
