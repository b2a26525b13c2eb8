"""What would be a setting, were it not misspelt, is told when the gateway starts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.cli.starting import NOT_SETTINGS, TOLD_MAX, unknown_variables
from passerelle.settings import PREFIX, Settings


def test_a_misspelt_setting_is_told_with_the_one_that_is_near():
    told = unknown_variables(["PATH", "PASSERELLE_BIND", "PASSERELLE_BNID", "PASSERELLE_REFERENCE"])
    assert list(told) == [
        ("PASSERELLE_BNID", "PASSERELLE_BIND"),
        ("PASSERELLE_REFERENCE", "PASSERELLE_REFERENCES"),
    ]


def test_what_is_near_to_none_is_told_alone():
    assert list(unknown_variables(["PASSERELLE_QQQQQQQQ"])) == [("PASSERELLE_QQQQQQQQ", "")]


def test_settings_are_known_in_any_case_and_so_are_the_variables_of_the_commands():
    names = [*(PREFIX + name.upper() for name in Settings.model_fields), *NOT_SETTINGS]
    assert list(unknown_variables([*names, *(name.lower() for name in names)])) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=200).map(lambda text: PREFIX + text), max_size=50))
def test_however_many_there_are_and_however_long_little_is_told(names):
    told = list(unknown_variables(names))
    assert len(told) <= TOLD_MAX
    assert all(len(name) <= 60 for name, _ in told)
