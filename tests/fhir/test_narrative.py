"""The narrative: simple formatting passes, what acts or calls out does not."""

import pytest

from passerelle.fhir.conformance.narrative import fault


def div(content: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'


@pytest.mark.parametrize(
    "content",
    [
        "été",
        "<p>a<br/>b</p>",
        '<table border="1"><tr><td colspan="2" style="color: red">a</td></tr></table>',
        '<a href="https://example.org/a?b=c" title="t">a</a> <a name="n">b</a> <a href="#n">c</a>',
        '<a href="mailto:a@example.org">a</a>',
        '<img src="#photo" alt=""/>',
        '<img src="data:image/png;base64,AAEC" alt="a"/>',
        "a&nbsp;b &eacute; &#233; &amp; &lt;script&gt;",
        '<p xml:lang="fr" lang="fr">a</p>',
        '<p style="background-image: url(tbl_bck1.png); color: red">a</p>',
        '<p style="background: url(data:image/png;base64,AAEC)">a</p>',
        "<!-- said aside --><i>a</i>",
    ],
)
def test_simple_formatting_passes(content: str) -> None:
    assert fault(div(content)) is None


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>",
        '<p onclick="alert(1)">a</p>',
        "<P>a</P>",
        '<a href="javascript:alert(1)">a</a>',
        '<a href=" java\tscript:alert(1)">a</a>',
        '<a href="JavaScript&#58;alert(1)">a</a>',
        '<a href="data:text/html,a">a</a>',
        '<a href="vbscript:a">a</a>',
        '<img src="data:text/html;base64,AAEC"/>',
        "<form><input/></form>",
        '<iframe src="https://example.org"/>',
        '<object data="a"/>',
        '<p style="background: url(https://example.org/a)">a</p>',
        '<p style="background: url(//example.org/a)">a</p>',
        '<p style="background: url(a.png), url(https://example.org/a)">a</p>',
        '<p style="background: url(data:text/html;base64,AAEC)">a</p>',
        '<p style="background: ururl(a)l(//example.org)">a</p>',
        '<p style="background: url(javascript:alert)">a</p>',
        '<p style="width: expression(alert(1))">a</p>',
        '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
        '<p xmlns:x="http://www.w3.org/1999/xlink" x:href="javascript:a">a</p>',
        "<?php a ?>b",
        "<ins>a</ins>",
        "<b>" * 200 + "a" + "</b>" * 200,
    ],
)
def test_what_acts_is_refused(content: str) -> None:
    assert fault(div(content)) == "structure.txt-1"


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "<div>a</div>",
        '<p xmlns="http://www.w3.org/1999/xhtml">a</p>',
        div("<p>a"),
        div("&unknown;"),
        div("a") + div("b"),
        '<div xmlns="http://www.w3.org/1999/xhtml">a',
    ],
)
def test_what_is_not_one_xhtml_div_is_refused(text: str) -> None:
    assert fault(text) == "structure.narrative-div"


@pytest.mark.parametrize("content", ["", " \n", "<p> </p>", "&#32;"])
def test_what_says_nothing_is_refused(content: str) -> None:
    assert fault(div(content)) == "structure.txt-2"


def test_an_entity_of_ones_own_is_never_expanded() -> None:
    bomb = '<!DOCTYPE div [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{"&" + last + ";" * 1}{"&" + last + ";"}">'
        for last, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert fault(bomb + "]>" + div("&i;")) is not None
    assert (
        fault('<!DOCTYPE div [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + div("&a;")) is not None
    )
