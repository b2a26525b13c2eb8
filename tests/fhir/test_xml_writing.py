"""FHIR XML is written in the order of the definition, exactly, and read again to the same."""

from typing import Any

import pytest

from passerelle.errors.refusals import NotAcceptable
from passerelle.fhir import json_text
from passerelle.fhir.xml import reader, writer

HEAD = '<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"'


def written(**more: Any) -> str:
    text = writer.encode({"resourceType": "Patient", **more}).decode()
    assert text.startswith(HEAD)
    return text.removeprefix(HEAD).removeprefix(">").removesuffix("</Patient>")


def test_elements_come_in_the_order_of_the_definition_whatever_that_of_the_json():
    found = written(
        gender="female",
        name=[{"given": ["a"], "family": "b", "use": "official"}],
        active=True,
        extension=[{"valueString": "x", "url": "u", "id": "i"}],
        id="p",
    )
    assert found in (
        f'<id value="p"/><extension {attributes}><valueString value="x"/></extension>'
        '<active value="true"/><name><use value="official"/><family value="b"/>'
        '<given value="a"/></name><gender value="female"/>'
        for attributes in ('id="i" url="u"', 'url="u" id="i"')
    )


def test_nothing_but_the_values_stands_in_the_text():
    assert written() == "/>"
    assert written(active=False) == '<active value="false"/>'
    assert written(name=[{"id": "a"}]) == '<name id="a"/>'
    assert written(contained=[{"resourceType": "Basic"}]) == "<contained><Basic/></contained>"


@pytest.mark.parametrize("text", ["1", "1.0", "1.50", "-0.010", "1e3", "1E-7", "0.0000001", "1E+2"])
def test_decimals_are_written_as_they_came(text):
    body = f'{{"resourceType":"Patient","extension":[{{"url":"u","valueDecimal":{text}}}]}}'
    resource = json_text.decode(body.encode())
    assert f'<valueDecimal value="{text}"/>'.encode() in writer.encode(resource)


def test_integers_that_json_writes_with_an_exponent_are_plain():
    body = b'{"resourceType":"Patient","multipleBirthInteger":2e0}'
    assert b'<multipleBirthInteger value="2"/>' in writer.encode(json_text.decode(body))


def test_what_xml_would_change_in_an_attribute_is_written_as_a_reference():
    assert written(name=[{"text": " a\tb\r\nc&<>\"'é "}]) == (
        '<name><text value=" a&#9;b&#13;&#10;c&amp;&lt;&gt;&quot;\'é "/></name>'
    )


def test_underscored_members_are_joined_to_their_values():
    extension = {"extension": [{"url": "u", "valueInteger": 3}]}
    spelled = '<extension url="u"><valueInteger value="3"/></extension>'
    found = written(
        _birthDate={"id": "b", **extension},
        name=[{"given": ["a", None], "_given": [None, extension, {"id": "<"}]}],
        gender="male",
        _gender=extension,
    )
    assert found == (
        f'<name><given value="a"/><given>{spelled}</given><given id="&lt;"/></name>'
        f'<gender value="male">{spelled}</gender><birthDate id="b">{spelled}</birthDate>'
    )


@pytest.mark.parametrize(
    ("div", "shown"),
    [
        ('<div xmlns="http://www.w3.org/1999/xhtml">é\r\n<br/></div>', None),
        (
            '<?xml version="1.0"?>\n<div xmlns="http://www.w3.org/1999/xhtml">a</div>\n',
            '<div xmlns="http://www.w3.org/1999/xhtml">a</div>',
        ),
        (
            '<div xmlns="http://www.w3.org/1999/xhtml">a&nbsp;b&amp;&eacute;&lt;&#160;</div>',
            '<div xmlns="http://www.w3.org/1999/xhtml">a\u00a0b&amp;é&lt;&#160;</div>',
        ),
    ],
)
def test_a_narrative_is_written_as_it_is_kept_in_what_xml_knows(div, shown):
    found = written(text={"div": div, "status": "generated"})
    assert found == f'<text><status value="generated"/>{shown or div}</text>'
    again = reader.decode((HEAD + ">" + found + "</Patient>").encode())
    assert again["text"]["div"] == (shown or div)


def test_text_for_people_has_one_element_a_line_and_says_the_same():
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p>\n<p/></div>'
    resource = {
        "resourceType": "Patient",
        "text": {"status": "generated", "div": div},
        "contained": [{"resourceType": "Basic", "id": "b"}],
        "active": True,
        "_birthDate": {"extension": [{"url": "u", "valueInteger": 3}]},
    }
    text = writer.encode(resource, pretty=True)
    assert text.decode().splitlines()[1:6] == [
        '<Patient xmlns="http://hl7.org/fhir">',
        "  <text>",
        '    <status value="generated"/>',
        '    <div xmlns="http://www.w3.org/1999/xhtml"><p>a</p>',
        "<p/></div>",
    ]
    assert b"\n      <extension" not in text
    assert b'\n    <extension url="u">\n      <valueInteger value="3"/>\n' in text
    assert reader.decode(text) == resource


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        ({"resourceType": "Patient", "name": [{"family": "A\ufffe"}]}, "Patient"),
        ({"resourceType": "Patient", "id": "\x00"}, "Patient"),
        ({"resourceType": "Patient", "text": {"div": "<div>\uffff</div>"}}, "Patient"),
        ({"resourceType": "Patient", "nom": "a"}, "Patient"),
        ({"resourceType": "Patient", "active": "true"}, "Patient"),
        ({"resourceType": "Patient", "multipleBirthInteger": True}, "Patient"),
        ({"resourceType": "Patient", "name": "a"}, "Patient"),
        ({"resourceType": "Patient", "contained": [{"resourceType": "Nothing"}]}, "Patient"),
        ({"resourceType": "Nothing"}, "Resource"),
        ({"id": "a"}, "Resource"),
    ],
)
def test_what_xml_cannot_carry_is_refused_and_not_written_otherwise(resource, place):
    with pytest.raises(NotAcceptable) as refusal:
        writer.encode(resource)
    assert [(one.rule, one.expression) for one in refusal.value.issues] == [
        ("xml.not-writable", place)
    ]
