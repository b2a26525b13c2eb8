"""What the subject of a mail with documents promises."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Unprocessable
from passerelle.messaging.sending.subject import pdf_name, read_subject, xdm_subject


def test_the_subject_is_the_one_of_the_reference() -> None:
    assert (
        xdm_subject(
            label="ECHOGRAPHIE ABDOMINOPELVIENNE",
            family="Corse",
            given="FIGATELLIX",
            birth_date=date(1988, 10, 12),
        )
        == "XDM/1.0/DDM+ECHOGRAPHIE ABDOMINOPELVIENNE CORSE FIGATELLIX 12/10/1988"
    )


def test_the_birth_date_may_be_missing_and_nothing_else() -> None:
    assert xdm_subject(label="CR", family="ADRUN", given="ZOE") == "XDM/1.0/DDM+CR ADRUN ZOE"
    with pytest.raises(Unprocessable) as refusal:
        xdm_subject(label=" ", family="", given="ZOE")
    assert [(issue.rule, issue.expression) for issue in refusal.value.issues] == [
        ("mss.subject-part-missing", "label"),
        ("mss.subject-part-missing", "family"),
    ]


def test_a_control_character_in_a_part_is_refused_even_if_it_is_white_space() -> None:
    with pytest.raises(Unprocessable, match=r"mss\.control-character"):
        xdm_subject(label="CR\r\nBcc: x@evil.example", family="ADRUN", given="ZOE")


WORD = st.text(st.characters(categories=["L"]), min_size=1, max_size=20)


@settings(max_examples=50, deadline=None)
@given(WORD, WORD, WORD, st.none() | st.dates())
def test_a_subject_is_read_back(
    label: str, family: str, given_name: str, birth_date: date | None
) -> None:
    heading = read_subject(
        xdm_subject(label=label, family=family, given=given_name, birth_date=birth_date)
    )
    assert heading.xdm
    assert not heading.refused
    assert heading.birth_date == birth_date
    assert heading.text == f"{label} {family.upper()[:60]} {given_name}"


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("[KO Intégration système !][902] XDM/1.0/DDM+CR ADRUN ZOE 31/12/1975", "902"),
        ("[Erreur d’intégration !][902] XDM/1.0/DDM+CR ADRUN ZOE 31/12/1975", "902"),
        ("[Erreur d'integration !] [904] xdm/1.0/ddm+ CR ADRUN ZOE 31/12/1975", "904"),
        ("RE: [KO intégration système ! ] XDM/1.0/DDM+CR ADRUN ZOE 31/12/1975", None),
    ],
)
def test_subjects_of_failure_are_known_in_all_their_spellings(
    subject: str, code: str | None
) -> None:
    heading = read_subject(subject)
    assert heading.refused
    assert heading.code == code
    assert heading.xdm
    assert heading.text == "CR ADRUN ZOE"
    assert heading.birth_date == date(1975, 12, 31)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("TR: XDM/1.0/DDM CR ADRUN", "CR ADRUN"),
        ("Bonjour", "Bonjour"),
        ("", ""),
        ("XDM/1.0/DDM+", ""),
        ("CR 99/99/1999", "CR"),
    ],
)
def test_the_prefix_is_not_shown(subject: str, text: str) -> None:
    assert read_subject(subject).text == text


@given(st.text(max_size=300))
def test_any_text_can_be_read_as_a_subject(text: str) -> None:
    read_subject(text)


def test_the_name_of_a_pdf_is_the_one_of_the_newer_example() -> None:
    assert (
        pdf_name(
            day=date(2022, 5, 31),
            type_label="CR d'imagerie médicale",
            family="Corse",
            given="FIGATELLIX",
        )
        == "20220531_CR_d_imagerie_medicale_CORSE_FIGATELLIX.pdf"
    )


def test_the_name_of_a_pdf_cuts_the_type_at_40_and_carries_the_file_number() -> None:
    name = pdf_name(
        day=date(2015, 8, 2),
        type_label="Compte rendu d'examens biologiques complémentaires",
        family="Vial",
        given="Cœur-Paul",
        number="12150302014578",
    )
    assert name == (
        "20150802_Compte_rendu_d_examens_biologiques_compl_VIAL_Coeur-Paul_12150302014578.pdf"
    )


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_the_name_of_a_pdf_is_never_a_path(type_label: str, family: str, given_name: str) -> None:
    try:
        name = pdf_name(
            day=date(2022, 5, 31), type_label=type_label, family=family, given=given_name
        )
    except Unprocessable:
        return
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| \0\r\n')
    assert len(name) < 200
