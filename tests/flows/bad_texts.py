"""Bodies that are no sound JSON, and resources at fault: rows of the table of bad input."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

from tests.flows.bad_input import CANARY, FHIR_JSON, NIR_OID, Answer, Fault, Text


def _instead(new: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body.replace(CANARY.encode(), new, 1)


def _beside(member: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body[:-1] + b"," + member + b"}"


def _twice(body: bytes) -> bytes:
    """Give the first member a second time."""
    name = next(iter(json.loads(body)))
    return body[:-1] + f', "{name}": "{CANARY}"}}'.encode()


def _as_it_is(body: bytes) -> bytes:
    return body


TEXTS = (
    Text(
        "nothing",
        lambda _: b"",
        Answer(400, "http.body-missing"),
        otherwise={"`PUT /dossiers`": Answer(400, "json.malformed")},
    ),
    Text("JSON cut short", lambda body: body[:-1], Answer(400, "json.malformed")),
    Text("text after the JSON", lambda body: body + b" x", Answer(400, "json.malformed")),
    Text("a comment in the JSON", lambda body: b"/**/" + body, Answer(400, "json.malformed")),
    Text("`NaN`", _beside(b'"a": NaN'), Answer(400, "json.malformed")),
    Text("an array", lambda body: b"[" + body + b"]", Answer(400, "json.not-an-object")),
    Text("a name twice in one object", _twice, Answer(400, "json.duplicate-key")),
    Text(
        "a name twice, spelt with an escape",
        _beside(b'"a": {"b": 1, "\\u0062": 2}'),
        Answer(400, "json.duplicate-key"),
    ),
    Text(
        "10,000 arrays in one another",
        _beside(b'"a": ' + b"[" * 10_000 + b"]" * 10_000),
        Answer(400, "json.too-deep"),
    ),
    Text(
        "10,000 objects in one another",
        _beside(b'"a": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
        Answer(400, "json.too-deep"),
    ),
    Text(
        "1,000,000 brackets that never close",
        lambda _: b"[" * 1_000_000,
        Answer(400, "json.too-deep"),
    ),
    Text("NUL as an escape", _instead(b"A\\u0000B"), Answer(400, "json.bad-character")),
    Text("NUL as a byte", _instead(b"A\0B"), Answer(400, "json.malformed")),
    Text("a control character as a byte", _instead(b"A\x1bB"), Answer(400, "json.malformed")),
    Text("half a surrogate pair", _instead(b"A\\ud800B"), Answer(400, "json.bad-character")),
    Text("Latin-1 bytes", _instead(b"\xc9l\xe9onore"), Answer(400, "json.not-utf8")),
    Text("an overlong UTF-8 sequence", _instead(b"A\xc0\x80B"), Answer(400, "json.not-utf8")),
    Text(
        "a byte order mark",
        lambda body: b"\xef\xbb\xbf" + body,
        Answer(400, "json.byte-order-mark"),
    ),
    Text("UTF-16", lambda b: b.decode().encode("utf-16"), Answer(400, "json.byte-order-mark")),
    Text("a number of 1e999999", _beside(b'"a": 1e999999'), Answer(400, "json.number-too-large")),
    Text(
        "a number of 100,000 digits",
        _beside(b'"a": 1' + b"0" * 100_000),
        Answer(400, "json.number-too-large"),
    ),
    Text(
        "no `Content-Type`",
        _as_it_is,
        Answer(415, "http.content-type-missing"),
        {"content-type": None},
    ),
    Text(
        "`Content-Type: text/plain`",
        _as_it_is,
        Answer(415, "http.content-type-not-read"),
        {"content-type": "text/plain"},
    ),
    Text(
        "XML said to be JSON",
        lambda _: b'<Patient xmlns="http://hl7.org/fhir"/>',
        Answer(400, "json.malformed"),
    ),
    Text(
        "another charset",
        lambda body: body.decode().encode("utf-16"),
        Answer(415, "http.charset-not-read"),
        {"content-type": f"{FHIR_JSON}; charset=utf-16"},
    ),
    Text(
        "another version of FHIR",
        _as_it_is,
        Answer(415, "http.fhir-version-not-read"),
        {"content-type": f"{FHIR_JSON}; fhirVersion=3.0"},
    ),
    Text(
        "a body in another coding than gzip",
        zlib.compress,
        Answer(415, "http.content-encoding-not-read"),
        {"content-encoding": "deflate"},
    ),
    Text(
        "a body that is said to be gzip and is not",
        _as_it_is,
        Answer(400, "answer.body-not-gzip"),
        {"content-encoding": "gzip"},
    ),
    Text(
        "a body in gzip that ends too soon",
        lambda body: gzip.compress(body)[:-9],
        Answer(400, "answer.body-not-gzip"),
        {"content-encoding": "gzip"},
    ),
    Text("a compressed body that is not said to be", gzip.compress, Answer(400, "json.not-utf8")),
    Text(
        "`Accept` of Turtle only",
        _as_it_is,
        Answer(406, "http.turtle-not-served"),
        {"accept": "application/fhir+turtle"},
    ),
    Text(
        "a header of 70,000 bytes",
        _as_it_is,
        Answer(431, "http.headers-too-large"),
        {"x-long": CANARY * 6_000},
    ),
)


def _ins(value: str, **more: Any) -> dict[str, Any]:
    return {
        "identifier": [{"use": "official", "system": f"urn:oid:{NIR_OID}", "value": value, **more}]
    }


FAULTS = (
    Fault(
        "an unknown element",
        {"surname": CANARY},
        Answer(400, "structure.unknown-element"),
        ".surname",
    ),
    Fault("a number for a text", {"gender": 1}, Answer(400, "structure.wrong-type"), ".gender"),
    Fault(
        "a text for an object",
        {"maritalStatus": CANARY},
        Answer(400, "structure.wrong-type"),
        ".maritalStatus",
    ),
    Fault(
        "one object for a list",
        {"name": {"family": CANARY}},
        Answer(400, "structure.expected-array"),
        ".name",
    ),
    Fault(
        "a list for one object",
        {"maritalStatus": [{"text": CANARY}]},
        Answer(400, "structure.expected-single"),
        ".maritalStatus",
    ),
    Fault("`null`", {"birthDate": None}, Answer(400, "structure.null"), ".birthDate"),
    Fault("an empty list", {"name": []}, Answer(400, "structure.empty"), ".name"),
    Fault(
        "an empty text",
        {"name": [{"family": ""}]},
        Answer(400, "structure.empty"),
        ".name[0].family",
    ),
    Fault(
        "a day that is not in the calendar",
        {"birthDate": "2026-02-30"},
        Answer(400, "structure.no-such-day"),
        ".birthDate",
    ),
    Fault(
        "a French date",
        {"birthDate": "28/03/1979"},
        Answer(400, "structure.bad-format"),
        ".birthDate",
    ),
    Fault(
        "a code that is not of the list",
        {"gender": CANARY},
        Answer(400, "structure.code"),
        ".gender",
    ),
    Fault(
        "two values where one may stand",
        {"deceasedBoolean": True, "deceasedDateTime": "2026"},
        Answer(400, "structure.choice"),
        ".deceased",
    ),
    Fault(
        "a reference to a type that is not for it",
        {"managingOrganization": {"reference": "Patient/1"}},
        Answer(400, "structure.reference-target"),
        ".managingOrganization.reference",
    ),
    Fault(
        "a reference into nothing contained",
        {"managingOrganization": {"reference": "#nowhere"}},
        Answer(400, "structure.ref-1"),
        ".managingOrganization.reference",
    ),
    Fault(
        "a script in the narrative",
        {
            "text": {
                "status": "generated",
                "div": '<div xmlns="http://www.w3.org/1999/xhtml"><script>1</script></div>',
            }
        },
        Answer(400, "structure.txt-1"),
        ".text.div",
    ),
    Fault(
        "an entity in the narrative",
        {
            "text": {
                "status": "generated",
                "div": '<!DOCTYPE d [<!ENTITY a "b">]>'
                '<div xmlns="http://www.w3.org/1999/xhtml">&a;</div>',
            }
        },
        Answer(400, "structure.txt-1"),
        ".text.div",
    ),
    Fault(
        "base64 that is none",
        {"photo": [{"contentType": "image/png", "data": "*" + CANARY}]},
        Answer(400, "structure.bad-base64"),
        ".photo[0].data",
    ),
    Fault(
        "a matricule with a wrong key",
        _ins("279035121518912"),
        Answer(422, "ins.key"),
        ".identifier[0].value",
    ),
    Fault(
        "a matricule of 14 characters",
        _ins("27903512151891"),
        Answer(422, "ins.length"),
        ".identifier[0].value",
    ),
)
