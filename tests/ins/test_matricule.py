"""Matricules: the published identities, their keys, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.ins.matricule import OIDS, Matricule, check, key_of, parse

NIR, NIA = "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9"
TEST, DEMO = "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"

PUBLISHED_RIGHT = (
    "275126322074974",
    "109076322083489",
    "209076322083439",
    "209066322012355",
    "180032B02040123",
    "297022A02077878",
    "160012B02077713",
    "110086322083060",
    "236066322083656",
    "109076322088835",
    "279035121518989",
    "207058575626604",
    "277076322082910",
    "146026322000196",
    "277010115400329",
    "181016322075140",
)
PUBLISHED_WRONG = {
    "181036322045660": "76",
    "281036322045610": "26",
    "221042545611404": "83",
    "223042545611404": "82",
    "222127505611201": "47",
    "123456789012244": "12",
    "123456789012345": "11",
}


def rules(issues):
    return [(found.severity, found.rule) for found in issues]


@pytest.mark.parametrize("number", PUBLISHED_RIGHT)
@pytest.mark.parametrize("oid", [None, *OIDS])
def test_published_matricules_with_a_right_key_are_accepted(number, oid):
    assert check(number, oid, allow_test=True) == []


@pytest.mark.parametrize(("number", "right"), PUBLISHED_WRONG.items())
def test_published_matricules_with_a_wrong_key_are_errors_but_on_test_oids(number, right):
    assert key_of(number[:13]) == right
    for oid in (None, NIR, NIA):
        assert ("error", "ins.key") in rules(check(number, oid))
    for oid in (TEST, DEMO):
        issues = check(number, oid, allow_test=True)
        assert ("warning", "ins.key-test") in rules(issues)
        assert not [found for found in issues if found.severity == "error"]


@pytest.mark.parametrize("oid", [TEST, DEMO])
def test_oids_of_test_and_demonstration_are_refused_unless_admitted(oid):
    assert rules(check("279035121518989", oid)) == [("error", "ins.test-oid")]
    with pytest.raises(Invalid):
        parse("279035121518989", oid)
    assert parse("279035121518989", oid, allow_test=True).oid == oid


def test_the_historic_ins_c_is_no_matricule_oid():
    assert rules(check("279035121518989", "1.2.250.1.213.1.4.2")) == [("error", "ins.oid-unknown")]


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("279035121518989", None),
        ("2790351215189", "89"),
        ("2790351215189 89", None),
        ("2 79 03 51 215 189", "89"),
        ("2 79 03 51 215 189 89", None),
    ],
)
def test_blanks_and_a_key_apart_are_tolerated_when_a_person_types(number, key):
    made = parse(number, f"urn:oid:{NIR}", key=key)
    assert made == Matricule("2790351215189", "89", NIR)
    assert made.pair == ("279035121518989", NIR)
    assert made.kind.kind == "NIR"


def test_corsican_departments_in_lower_case_are_read():
    assert parse("180032b02040123", NIR).number13 == "180032B020401"


def test_the_same_number_under_another_oid_is_another_identity():
    assert parse("109076322088835", NIR) != parse("109076322088835", NIA)


@pytest.mark.parametrize(
    ("number", "slug"),
    [
        ("", "ins.length"),
        ("2790351215189", "ins.length"),
        ("2790351215189890", "ins.length"),
        ("27903512151898X", "ins.characters"),
        ("2790A5121518989", "ins.characters"),
        ("180032C02040123", "ins.characters"),
        ("1800302A0401230", "ins.characters"),
        ("٢79035121518989", "ins.characters"),
    ],
)
def test_a_wrong_form_is_an_error_and_nothing_else_is_said(number, slug):
    assert rules(check(number, NIR)) == [("error", slug)]


@pytest.mark.parametrize(
    ("number13", "slug"),
    [
        ("9790351215189", "ins.sex-digit"),
        ("2791351215189", "ins.month"),
        ("2794551215189", "ins.month"),
        ("2790300215189", "ins.department"),
    ],
)
def test_an_odd_structure_only_warns(number13, slug):
    assert rules(check(number13 + key_of(number13), NIR)) == [("warning", slug)]


@pytest.mark.parametrize("month", ["01", "12", "20", "42", "50", "99"])
def test_months_of_incomplete_records_are_known(month):
    number13 = f"279{month}51215189"
    assert check(number13 + key_of(number13), NIR) == []


def test_a_matricule_does_not_show_its_number_when_printed():
    shown = repr(parse("279035121518989", NIR)) + str(parse("279035121518989", NIR))
    assert "27903" not in shown
    assert "89'" not in shown


def test_a_refusal_does_not_tell_the_number():
    with pytest.raises(Invalid) as refusal:
        parse("279035121518988", NIR)
    told = str(refusal.value) + "".join(i.text + i.text_en for i in refusal.value.issues)
    assert "279035" not in told


departments = st.one_of(st.integers(1, 99).map("{:02d}".format), st.sampled_from(["2A", "2B"]))
numbers = st.builds(
    "{}{:02d}{:02d}{}{:06d}".format,
    st.sampled_from("123478"),
    st.integers(0, 99),
    st.integers(1, 12),
    departments,
    st.integers(0, 999999),
)


@settings(max_examples=50, deadline=None)
@given(numbers)
def test_one_key_alone_is_right(number13):
    keys = [f"{n:02d}" for n in range(100) if not check(f"{number13}{n:02d}", NIR)]
    assert keys == [key_of(number13)]
    assert 1 <= int(keys[0]) <= 97


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=20), st.text(max_size=30) | st.none())
def test_any_text_is_checked_without_raising(number, oid):
    check(number, oid)
