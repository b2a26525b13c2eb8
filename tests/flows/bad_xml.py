"""Bodies that are no sound XML, and FHIR XML at fault: rows of the table of bad input."""

from tests.flows.bad_input import CANARY, Answer, Case, Text

FHIR_XML = "application/fhir+xml"
_DOSSIERS = {"`PUT /dossiers`": Answer(415, "http.only-json-read")}
_PATIENT = '<Patient xmlns="http://hl7.org/fhir">{}</Patient>'
_NAMED = f'<id value="bad-input"/><name><family value="{CANARY}"/></name>'
_LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


def _row(title: str, body: bytes, rule: str) -> Text:
    """Give a body that is the same at every door, and the rule that refuses it there."""
    return Text(
        title,
        lambda _: body,
        Answer(400, rule),
        {"content-type": FHIR_XML},
        otherwise=_DOSSIERS,
    )


def _with_type(type_: str, inside: str = "<name><family value='&a;'/></name>") -> bytes:
    return f"<!DOCTYPE Patient {type_}>{_PATIENT.format(inside)}".encode()


XML_TEXTS = (
    _row("blanks alone", b" \n", "xml.ill-formed"),
    _row("XML cut short", _PATIENT.format(_NAMED).encode()[:-1], "xml.ill-formed"),
    _row("JSON said to be XML", b'{"resourceType": "Patient"}', "xml.ill-formed"),
    _row(
        "an entity bomb (billion laughs)",
        _with_type(f'[<!ENTITY a0 "{CANARY}">{_LAUGHS}<!ENTITY a "&a9;">]'),
        "xml.doctype",
    ),
    _row(
        "a long entity 100,000 times (quadratic blow-up)",
        _with_type(f'[<!ENTITY a "{"x" * 100_000}">]', f'<id value="{"&a;" * 100_000}"/>'),
        "xml.doctype",
    ),
    _row(
        "an entity that reads a file",
        _with_type('[<!ENTITY a SYSTEM "file:///etc/passwd">]'),
        "xml.doctype",
    ),
    _row(
        "an entity that asks the network",
        _with_type('[<!ENTITY % b SYSTEM "http://127.0.0.1:9/b.dtd"> %b;]'),
        "xml.doctype",
    ),
    _row(
        "a document type that lies elsewhere",
        _with_type('SYSTEM "http://127.0.0.1:9/patient.dtd"'),
        "xml.doctype",
    ),
    _row(
        "`&nbsp;`, which XML does not know",
        _PATIENT.format('<name><family value="A&nbsp;B"/></name>').encode(),
        "xml.entity",
    ),
    _row(
        "XInclude",
        _PATIENT.format(
            '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
        ).encode(),
        "xml.name-space",
    ),
    _row(
        "10,000 elements in one another",
        _PATIENT.format("<extension>" * 10_000).encode(),
        "xml.too-deep",
    ),
    _row(
        "10,000 elements in a narrative in one another",
        _PATIENT.format(
            "<text><status value='generated'/><div xmlns='http://www.w3.org/1999/xhtml'>"
            + "<b>" * 10_000
        ).encode(),
        "xml.too-deep",
    ),
    _row(
        "10,000 elements that nobody knows in one another",
        _PATIENT.format("<a>" * 10_000).encode(),
        "xml.too-deep",
    ),
    _row("2,000,001 signs `<`", b"<" * 2_000_001, "xml.too-many-nodes"),
    _row(
        "1,000,001 attributes",
        b"<Patient " + b"a='' " * 1_000_001 + b"/>",
        "xml.too-many-nodes",
    ),
    _row("an attribute twice", b"<Patient a='1' a='2'/>", "xml.ill-formed"),
    _row("NUL as a byte", _PATIENT.format("\0").encode(), "xml.ill-formed"),
    _row("NUL as a reference", _PATIENT.format("<id value='&#0;'/>").encode(), "xml.ill-formed"),
    _row("Latin-1 bytes", _PATIENT.format("<id value='é'/>").encode("latin-1"), "xml.ill-formed"),
    _row(
        "another encoding, said",
        b"<?xml version='1.0' encoding='ISO-8859-1'?>" + _PATIENT.format("").encode(),
        "xml.not-utf8",
    ),
    _row("UTF-16", _PATIENT.format("").encode("utf-16"), "xml.not-utf8"),
    _row("no name space", b"<Patient/>", "xml.name-space"),
    _row("a CDA document", b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>', "xml.name-space"),
    _row("no resource", b'<Patiente xmlns="http://hl7.org/fhir"/>', "xml.not-a-resource"),
)


def _case(title: str, inside: str, rule: str, place: str) -> Case:
    return Case(
        title,
        "PUT",
        "/fhir/Patient/bad-input",
        Answer(400, rule),
        _PATIENT.format(inside).encode(),
        {"content-type": FHIR_XML},
        place,
    )


ELEMENTS = (
    _case("an unknown element", f"{_NAMED}<nom/>", "xml.unknown-element", "Patient.nom"),
    _case(
        "an unknown attribute",
        f'<id value="bad-input"/><name use="{CANARY}"><text value="a"/></name>',
        "xml.unknown-attribute",
        "Patient.name[0]",
    ),
    _case(
        "an element too late",
        f'{_NAMED}<active value="true"/>',
        "xml.order",
        "Patient.active",
    ),
    _case(
        "an element twice that may stand once",
        f'{_NAMED}<gender value="male"/><gender value="female"/>',
        "xml.repeated",
        "Patient.gender",
    ),
    _case(
        "a text in the place of a value",
        f"<id>{CANARY}</id>",
        "xml.text",
        "Patient.id",
    ),
    _case("an empty element", f"{_NAMED}<birthDate/>", "xml.empty", "Patient.birthDate"),
    _case(
        "`yes` for a truth value",
        '<id value="bad-input"/><active value="yes"/>',
        "xml.value",
        "Patient.active",
    ),
    _case(
        "a narrative that is no XHTML",
        f'<id value="bad-input"/><text><status value="generated"/><div>{CANARY}</div></text>',
        "xml.name-space",
        "Patient.text",
    ),
    _case(
        "two resources in one `contained`",
        '<id value="bad-input"/><contained><Patient/><Patient/></contained>',
        "xml.one-resource",
        "Patient.contained[0]",
    ),
    _case(
        "a day that is not in the calendar",
        f'{_NAMED}<birthDate value="1979-02-30"/>',
        "structure.no-such-day",
        "Patient.birthDate",
    ),
)
