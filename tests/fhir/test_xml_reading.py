"""FHIR XML is read to what its JSON form says, and every fault is told with its place and line."""

import gc
from decimal import Decimal

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.fhir import json_text
from passerelle.fhir.conformance.structure import check
from passerelle.fhir.xml import places, reader

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def patient(inside: str, more: str = "") -> bytes:
    return f'<Patient xmlns="http://hl7.org/fhir"{more}>{inside}</Patient>'.encode()


def read(inside: str, more: str = ""):
    found = reader.decode(patient(inside, more))
    assert found.pop("resourceType") == "Patient"
    return found


def faults(text: bytes) -> list[tuple[str, str | None, int | None]]:
    with pytest.raises(Invalid) as refusal:
        reader.decode(text)
    return [(one.rule, one.expression, one.line) for one in refusal.value.issues]


def test_primitives_have_the_values_of_json():
    found = read(
        '<active value="true"/><birthDate value="1979-03"/><multipleBirthInteger value="2"/>'
    )
    assert found == {"active": True, "birthDate": "1979-03", "multipleBirthInteger": 2}
    assert found["active"] is True


@pytest.mark.parametrize("text", ["1", "1.0", "1.50", "-0.010", "1e3", "1E-7", "0.0000001", "100"])
def test_a_decimal_keeps_the_way_it_is_written(text):
    inside = f'<extension url="u"><valueDecimal value="{text}"/></extension>'
    value = read(inside)["extension"][0]["valueDecimal"]
    assert isinstance(value, int | Decimal)
    assert json_text.encode(value) == text.encode()
    assert value == json_text.decode(f'{{"v":{text}}}'.encode())["v"]


@pytest.mark.parametrize(
    ("element", "value", "type_"),
    [
        ("valueBoolean", "1", "boolean"),
        ("valueBoolean", "True", "boolean"),
        ("valueInteger", "1.0", "integer"),
        ("valueInteger", "٣", "integer"),
        ("valueInteger", "01", "integer"),
        ("valueInteger", "9" * 30, "integer"),
        ("valueDecimal", ".5", "decimal"),
        ("valueDecimal", "1.", "decimal"),
        ("valueDecimal", "+1", "decimal"),
        ("valueDecimal", "NaN", "decimal"),
        ("valueDecimal", "1e999999", "decimal"),
        ("valueDecimal", "9" * 5000, "decimal"),
        ("valuePositiveInt", " 1", "positiveInt"),
        ("valueInteger", "", "integer"),
    ],
)
def test_a_value_that_is_none_of_its_type_is_told(element, value, type_):
    text = patient(f'<extension url="u"><{element} value="{value}"/></extension>')
    with pytest.raises(Invalid) as refusal:
        reader.decode(text)
    (fault,) = refusal.value.issues
    assert (fault.rule, fault.expression) == ("xml.value", "Patient.extension[0].value")
    assert type_ in fault.text
    assert type_ in fault.text_en


def test_texts_are_kept_to_the_character():
    found = read('<name><text value=" a&#9;b&#10;c&amp;&lt;&quot;é 😀 "/></name>')
    assert found["name"][0]["text"] == ' a\tb\nc&<"é 😀 '


def test_ids_and_extensions_of_primitives_stand_in_their_underscored_members():
    extension = '<extension url="u"><valueInteger value="3"/></extension>'
    kept = [{"url": "u", "valueInteger": 3}]
    found = read(
        f'<name><given value="a"/><given id="i"/><given value="c">{extension}</given>'
        f'<given value="d"/></name><birthDate id="b">{extension}</birthDate>'
    )
    assert found["name"] == [
        {
            "given": ["a", None, "c", "d"],
            "_given": [None, {"id": "i"}, {"extension": kept}, None],
        }
    ]
    assert found["_birthDate"] == {"id": "b", "extension": kept}
    assert "birthDate" not in found


def test_an_array_without_any_value_is_its_underscored_member_alone():
    found = read('<name><given id="a"/><given id="b"/></name>')
    assert found["name"] == [{"_given": [{"id": "a"}, {"id": "b"}]}]


def test_resources_stand_in_resources():
    bundle = (
        b'<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/><entry><resource>'
        b'<Patient><contained><Basic><id value="a"/><code><text value="x"/></code></Basic>'
        b"</contained></Patient></resource></entry><entry><response><status value='200'/><outcome>"
        b"<OperationOutcome/></outcome></response></entry></Bundle>"
    )
    basic = {"resourceType": "Basic", "id": "a", "code": {"text": "x"}}
    assert reader.decode(bundle) == {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": {"resourceType": "Patient", "contained": [basic]}},
            {"response": {"status": "200", "outcome": {"resourceType": "OperationOutcome"}}},
        ],
    }


@pytest.mark.parametrize(
    "div",
    [
        DIV.format("<p>a &lt; b &#233;</p><br/>"),
        DIV.format("<!-- kept --><p class='x'\n>é</p>\r\n"),
        DIV.format("<![CDATA[<p>]]>"),
        '<div xmlns="http://www.w3.org/1999/xhtml"/>',
        '<div  xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr" ><div/></div >',
        '<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>a</h:p></h:div>',
        '<div xmlns="http://www.w3.org/1999/xhtml" xmlns:o="urn:office"><p>a</p></div>',
    ],
)
def test_a_narrative_is_kept_as_it_was_sent(div):
    found = read(f'<text><status value="generated"/>\n{div}\n</text><active value="true"/>')
    assert found == {"text": {"status": "generated", "div": div}, "active": True}


def test_a_narrative_that_leans_on_what_is_around_it_is_written_to_stand_alone():
    text = (
        '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml">'
        '<f:text><f:status value="generated"/><h:div><!-- lost --><h:p h:z="1" class="a&quot;&#10;"'
        ' xml:lang="fr">a &amp; b &lt;<h:br></h:br></h:p></h:div></f:text></f:Patient>'
    )
    found = reader.decode(text.encode())["text"]["div"]
    assert found == DIV.format(
        '<p z="1" class="a&quot;&#10;" xml:lang="fr">a &amp; b &lt;<br/></p>'
    )


def test_comments_instructions_blanks_and_a_declaration_say_nothing():
    text = (
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8" standalone="yes"?><!-- a --><?x y?>\n'
        b'<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' xsi:schemaLocation="http://hl7.org/fhir ../patient.xsd">\r\n\t<!-- b --><?x y?>\n'
        b'<active value="true"><!-- c --> </active>\n</Patient>\n<!-- d -->'
    )
    assert reader.decode(text) == {"resourceType": "Patient", "active": True}


@pytest.mark.parametrize(
    ("inside", "rule", "place"),
    [
        ("<nom/>", "xml.unknown-element", "Patient.nom"),
        (
            "<birthDate value='1979'><nom/></birthDate>",
            "xml.unknown-element",
            "Patient.birthDate.nom",
        ),
        ("<id value='a'><extension url='u'/></id>", "xml.unknown-element", "Patient.id.extension"),
        ("<id value='a' id='b'/>", "xml.unknown-attribute", "Patient.id"),
        ("<name value='a'><text value='b'/></name>", "xml.unknown-attribute", "Patient.name[0]"),
        ("<name url='a'><text value='b'/></name>", "xml.unknown-attribute", "Patient.name[0]"),
        ("<active value='true' xml:lang='fr'/>", "xml.unknown-attribute", "Patient.active"),
        ("<active value='true'/><id value='a'/>", "xml.order", "Patient.id"),
        (
            "<name><given value='a'/><family value='b'/></name>",
            "xml.order",
            "Patient.name[0].family",
        ),
        (
            "<name><text value='a'/></name><gender value='male'/><name><text value='a'/></name>",
            "xml.order",
            "Patient.name[1]",
        ),
        ("<active value='true'/><active value='true'/>", "xml.repeated", "Patient.active"),
        ("<birthDate id='a'/><birthDate value='1979'/>", "xml.repeated", "Patient.birthDate"),
        ("<active>true</active>", "xml.text", "Patient.active"),
        ("<active value='true'>a</active>", "xml.text", "Patient.active"),
        ("a", "xml.text", "Patient"),
        ("<name>\u00a0<text value='a'/></name>", "xml.text", "Patient.name[0]"),
        ("<name><![CDATA[a]]></name>", "xml.text", "Patient.name[0]"),
        ("<name/>", "xml.empty", "Patient.name[0]"),
        ("<active/>", "xml.empty", "Patient.active"),
        ("<name><given/></name>", "xml.empty", "Patient.name[0].given[0]"),
        ("<contained/>", "xml.empty", "Patient.contained[0]"),
        ("<contained><Nothing/></contained>", "xml.not-a-resource", "Patient.contained[0]"),
        ("<contained><Basic/><Basic/></contained>", "xml.one-resource", "Patient.contained[0]"),
        ("<contained id='a'><Basic/></contained>", "xml.unknown-attribute", "Patient.contained[0]"),
        ("<contained><Basic id='a'/></contained>", "xml.unknown-attribute", "Patient.contained[0]"),
        ("<Patient/>", "xml.unknown-element", "Patient.Patient"),
        ("<name xmlns='urn:x'/>", "xml.name-space", "Patient"),
        ("<text><status value='empty'/><div><p/></div></text>", "xml.name-space", "Patient.text"),
    ],
)
def test_each_fault_has_its_rule_its_place_and_its_line(inside, rule, place):
    assert faults(patient("\n\n" + inside))[0] == (rule, place, 3)


def test_all_faults_are_told_at_once_up_to_a_bound():
    assert len(faults(patient("<nom/>" * 50))) == 50
    many = faults(patient("<nom/>" * 5000))
    assert len(many) == 101
    assert many[-1][0] == "structure.more"


def test_faults_before_the_text_breaks_are_told_with_it():
    found = faults(patient("<nom/>\n<active value='oui'/>\n<a></b>"))
    assert found == [
        ("xml.unknown-element", "Patient.nom", 1),
        ("xml.value", "Patient.active", 2),
        ("xml.unknown-element", "Patient.a", 3),
        ("xml.ill-formed", None, 3),
    ]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"", "xml.ill-formed"),
        (b"{}", "xml.ill-formed"),
        (patient("")[:-3], "xml.ill-formed"),
        (patient("") + patient(""), "xml.ill-formed"),
        (patient("<active value='true' value='true'/>"), "xml.ill-formed"),
        (patient("<x:active/>"), "xml.ill-formed"),
        (patient("\0"), "xml.ill-formed"),
        (patient("<id value='é'/>").decode().encode("latin-1"), "xml.ill-formed"),
        (b'<?xml version="1.0" encoding="utf-16"?>' + patient(""), "xml.not-utf8"),
        (patient("").decode().encode("utf-16-le"), "xml.not-utf8"),
        (patient("").decode().encode("utf-32"), "xml.not-utf8"),
        (b"<!DOCTYPE Patient>" + patient(""), "xml.doctype"),
        (b'<!DOCTYPE Patient SYSTEM "file:///etc/passwd">' + patient(""), "xml.doctype"),
        (patient("<id value='&a;'/>"), "xml.entity"),
        (b"<Patient/>", "xml.name-space"),
        (b'<Patient xmlns="http://hl7.org/fhir/"/>', "xml.name-space"),
        (b'<HumanName xmlns="http://hl7.org/fhir"/>', "xml.not-a-resource"),
        (b"<" * 2_000_001, "xml.too-many-nodes"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(text, rule):
    assert faults(text)[0][0] == rule


def test_depth_is_bounded_as_that_of_json_is():
    def nested(levels: int) -> str:
        return "<extension url='u'>" * levels + "<valueString value='a'/>" + "</extension>" * levels

    def depth(node: object) -> int:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return 1 + max(map(depth, inner), default=0) if isinstance(node, dict | list) else 0

    deepest = max(n for n in range(40, 60) if depth(_nested_json(n)) <= json_text.DEPTH_MAX)
    found = reader.decode(patient(nested(deepest)))
    assert json_text.decode(json_text.encode(found)) == found
    assert faults(patient(nested(deepest + 1)))[0][0] == "xml.too-deep"
    for element in ("extension", "a", "text><div xmlns='http://www.w3.org/1999/xhtml'"):
        assert faults(patient(f"<{element}>" * 100_000))[-1][0] == "xml.too-deep"


def _nested_json(levels: int) -> dict:
    node: dict = {"url": "u", "valueString": "a"}
    for _ in range(levels - 1):
        node = {"url": "u", "extension": [node]}
    return {"resourceType": "Patient", "extension": [node]}


def test_no_fault_tells_anything_of_the_text():
    text = patient('<x SECRET="SECRET">SECRET</x><active value="SECRET"/><é/>SECRET')
    with pytest.raises(Invalid) as refusal:
        reader.decode(text)
    for one in refusal.value.issues:
        assert "SECRET" not in one.text + one.text_en + str(one.expression)


def test_a_text_is_let_go_of_as_soon_as_it_is_read():
    gc.collect()
    gc.disable()
    try:
        before = len([one for one in gc.get_objects() if type(one).__name__ == "Reading"])
        reader.decode(patient("<active value='true'/>"))
        after = len([one for one in gc.get_objects() if type(one).__name__ == "Reading"])
    finally:
        gc.enable()
    assert after == before


def test_faults_of_the_structure_are_found_again_in_the_text():
    text = (
        b'<Patient xmlns="http://hl7.org/fhir">\n <contained>\n  <Observation><id value="o"/>\n'
        b'  <status value="bad"/></Observation></contained>\n <name><given value=""/>\n'
        b'  <given value="x"/></name> <birthDate value="1979-02-30"/>\n</Patient>'
    )
    found = places.located(text, check(reader.decode(text)))
    told = {one.rule + " " + str(one.expression): (one.line, one.column) for one in found}
    assert told["structure.empty Patient.name[0].given[0]"] == (5, 8)
    assert told["structure.no-such-day Patient.birthDate"] == (6, 29)
    assert told["structure.code Patient.contained[0].status"] == (4, 3)
    assert told["structure.required Patient.contained[0].code"] == (2, 2)
