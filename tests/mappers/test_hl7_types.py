"""CX, XCN and XON are written and read without loss, delimiters included."""

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.mappers.xdm.hl7_types import (
    Cx,
    Xcn,
    Xon,
    escape,
    read_cx,
    read_xcn,
    read_xon,
    unescape,
)

texts = st.text("ab^&|~\\SFTRE é", max_size=12)


def test_they_are_spelt_as_in_the_french_volet() -> None:
    assert str(Cx("279035121518989", "1.2.250.1.213.1.4.10", "NH")) == (
        "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"
    )
    assert str(Xcn("801234534765", "CAMPARINI", "Marcel", "1.2.250.1.71.4.2.1")) == (
        "801234534765^CAMPARINI^Marcel^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    )
    assert str(Xon("Nom", "1.2.250.1.71.4.2.2", "IDNST", "1120459876")) == (
        "Nom^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1120459876"
    )
    assert str(Xon("Nom")) == "Nom"


def test_what_is_cut_short_is_read() -> None:
    assert read_cx("123") == Cx("123", "", "")
    assert read_xcn("1^NOM") == Xcn("1", "NOM", "", "", "", "")
    assert read_xon("Nom") == Xon("Nom")


@settings(max_examples=200, deadline=None)
@given(texts)
def test_escapes_read_back(text: str) -> None:
    assert unescape(escape(text)) == text
    assert not set(escape(text)) & set("^&|~")


@settings(max_examples=100, deadline=None)
@given(st.tuples(*[texts] * 6))
def test_types_read_back(parts: tuple[str, ...]) -> None:
    assert read_cx(str(Cx(*parts[:3]))) == Cx(*parts[:3])
    assert read_xcn(str(Xcn(*parts))) == Xcn(*parts)
    if parts[3]:
        assert read_xon(str(Xon(*parts[:4]))) == Xon(*parts[:4])


@settings(max_examples=100, deadline=None)
@given(st.text("\\SE^&ab", max_size=10))
def test_any_text_is_read(text: str) -> None:
    read_cx(text)
    read_xcn(text)
    read_xon(text)
