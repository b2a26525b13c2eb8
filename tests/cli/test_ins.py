"""passerelle ins check."""

import json

import pytest

NIR, TEST = "1.2.250.1.213.1.4.8", "urn:oid:1.2.250.1.213.1.4.10"


@pytest.mark.parametrize(
    "arguments",
    [
        ("2790351215189", "89"),
        ("279035121518989",),
        ("2790351215189 89",),
        ("2 79 03 51 215 189", "89"),
        ("180032B020401", "23"),
        ("279035121518989", "--oid", NIR),
        ("279035121518989", "--oid", TEST, "--allow-test"),
    ],
)
def test_a_right_matricule_is_valid(passerelle, arguments):
    code, out, _ = passerelle("ins", "check", *arguments)
    assert (code, "Matricule valide" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (("2790351215189", "88"), "ins.key"),
        (("2790351215189",), "ins.length"),
        (("27903512151X9", "88"), "ins.characters"),
        (("279035121518989", "--oid", TEST), "ins.test-oid"),
        (("279035121518989", "--oid", "1.2.3"), "ins.oid-unknown"),
    ],
)
def test_a_wrong_one_is_refused_with_its_rule_and_why(passerelle, arguments, slug):
    code, out, _ = passerelle("ins", "check", *arguments)
    assert code == 1
    assert f"erreur  {slug}\n    " in out
    code, out, _ = passerelle("ins", "check", *arguments, "--json")
    told = json.loads(out)
    assert (code, told["valid"], told["issues"][0]["rule"]) == (1, False, slug)


def test_a_warning_is_told_and_the_matricule_valid(passerelle):
    wrong_key = ("279035121518988", "--oid", TEST, "--allow-test")
    code, out, _ = passerelle("ins", "check", *wrong_key)
    assert code == 0
    assert "alerte  ins.key-test" in out
    told = json.loads(passerelle("ins", "check", *wrong_key, "--json")[1])
    assert (told["valid"], told["kind"], told["purpose"]) == (True, "NIR", "test")


def test_tests_may_be_admitted_by_the_setting(passerelle, monkeypatch):
    monkeypatch.setenv("PASSERELLE_INS_ALLOW_TEST", "true")
    assert passerelle("ins", "check", "279035121518989", "--oid", TEST)[0] == 0


def test_english_is_spoken_when_asked_for(passerelle, monkeypatch):
    monkeypatch.setenv("PASSERELLE_LANG", "en")
    code, out, _ = passerelle("ins", "check", "2790351215189", "88")
    assert code == 1
    assert "Matricule refused." in out
    assert "The key does not agree" in out
