"""Requests that mean no good, or nothing at all: what the fuzzers of the HTTP door draw from.

Each is drawn whole by hypothesis, so that one at fault is told in its smallest form.
"""

import gzip
import json
from random import Random
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as some

from passerelle.fhir import json_text
from passerelle.fhir.xml import writer
from tests.fhir import mutations
from tests.flows.hostile_questions import calls, questions
from tests.flows.hostile_request import Hostile
from tests.flows.hostile_seeds import SEEDS
from tests.flows.hostile_values import METHODS, TYPES, hostile_headers, query

JSON = "application/fhir+json"
XML = "application/fhir+xml"
JSON_PATCH = "application/json-patch+json"


def _spelled(value: Any) -> bytes:
    return json.dumps(value, default=float).encode()


def _mutated(draw: some.DrawFn, random: Random, resource: Any) -> Any:
    """Give a resource with one fault more, as long as something is left of it."""
    kind = draw(some.sampled_from(sorted(mutations.MUTATIONS)))
    return mutations.mutated(random, resource, kind) if resource else resource


@some.composite
def _spoilt(draw: some.DrawFn) -> dict[str, Any]:
    """Give a resource with up to three faults, or none."""
    made: Any = draw(some.sampled_from(SEEDS))
    random = draw(some.randoms(use_true_random=False))
    for _ in range(draw(some.integers(0, 3))):
        made = _mutated(draw, random, made)
    return made if isinstance(made, dict) else {"resourceType": "Patient"}


@some.composite
def _torn(draw: some.DrawFn, whole: bytes) -> bytes:
    """Give bytes with a piece left out, doubled or put in."""
    if draw(some.booleans()):
        return whole
    first = draw(some.integers(0, len(whole)))
    last = draw(some.integers(first, min(len(whole), first + 60)))
    return whole[:first] + draw(some.sampled_from(PIECES)) + whole[last:]


PIECES = (
    *(b"", b'"', b"{", b"[" * 200, b"]", b",", b"\\", b"\\ud800", b"\x00", b"\xff", b"1e999999"),
    *(b"<", b">", b"&", b"&#0;", b"&a;", b"<!--", b"<![CDATA[", b"<?xml?>", b"<!DOCTYPE a>", b"/>"),
    *(b"<a>" * 200, b' xmlns="urn:a"', b' value=""', b"xmlns:b='http://hl7.org/fhir' b:value='1'"),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"null", b"-0", b"9" * 400, b"\xe2\x80\xae"),
)

ENTITIES = (
    b'<!DOCTYPE Patient [<!ENTITY a "b">]>',
    b'<!DOCTYPE Patient [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]>',
    b'<?xml version="1.0" encoding="UTF-7"?>',
    b'<?xml version="1.1"?>',
    b"<?xml-stylesheet href='a'?>",
    b"\xfe\xff",
    b"",
)


def _address(resource: dict[str, Any], by_id: bool) -> str:
    type_, id_ = resource.get("resourceType"), resource.get("id")
    type_ = quote(type_, safe="") if isinstance(type_, str) and type_ else "Patient"
    return f"/fhir/{type_}/{quote(str(id_), safe='')}" if by_id and id_ else f"/fhir/{type_}"


@some.composite
def json_bodies(draw: some.DrawFn) -> Hostile:
    """Give a write of a resource in JSON."""
    resource = draw(_spoilt())
    by_id = draw(some.booleans())
    headers = draw(hostile_headers()) | {"Content-Type": JSON}
    body = draw(_torn(_spelled(resource)))
    if draw(some.integers(0, 9)) == 0:
        headers["Content-Encoding"] = draw(some.sampled_from(("gzip", "x-gzip", "deflate", "br")))
        body = gzip.compress(body, mtime=0)[: draw(some.integers(0, 2_000))]
    return Hostile("PUT" if by_id else "POST", _address(resource, by_id), headers, body)


@some.composite
def xml_bodies(draw: some.DrawFn) -> Hostile:
    """Give a write of a resource in XML, with tricks of entities and declarations."""
    resource = draw(some.sampled_from(SEEDS))
    whole = writer.encode(json_text.decode(_spelled(resource)))
    body = draw(some.sampled_from(ENTITIES)) + draw(_torn(draw(_torn(whole))))
    by_id = draw(some.booleans())
    headers = draw(hostile_headers()) | {"Content-Type": XML}
    return Hostile("PUT" if by_id else "POST", _address(resource, by_id), headers, body)


PATHS = (
    *("/fhir/{t}", "/fhir/{t}/_search", "/fhir", "/fhir/_history", "/fhir/{t}/_history"),
    *("/fhir/Patient/a/{t}", "/fhir/Patient/a/*", "/fhir/{t}/a", "/fhir/{t}/a/_history/1"),
    *("/fhir/{t}/a/_history", "/fhir/metadata", "/fhir/{t}/$everything", "/fhir/Patient/a/$meta"),
    *("/fhir/Patient/a/$everything", "/fhir/ValueSet/$expand", "/fhir/CodeSystem/$lookup"),
    *("/fhir/ValueSet/$validate-code", "/fhir/ConceptMap/$translate", "/fhir/Binary/b"),
    *("/fhir/CodeSystem/$subsumes", "/fhir/Composition/a/$document", "/fhir/Patient/$match"),
)
TAILS = (
    *(
        "",
        "",
        "",
        "",
        "/",
        "//",
        "/..",
        "/%2e%2e",
        "%00",
        "%",
        "%2",
        "%zz",
        ";a=b",
        "/%2f",
        "%c0%af",
    ),
    *("/_history/0", "/_history/-1", "/_history/99999999999999999999", "/$", "/$a", "?", "%f0%9f"),
)


@some.composite
def searches(draw: some.DrawFn) -> Hostile:
    """Give a search in the whole language, by address or by form, on every kind of address."""
    type_ = draw(some.sampled_from(TYPES))
    path = draw(some.sampled_from(PATHS)).replace("{t}", type_) + draw(some.sampled_from(TAILS))
    text = draw(query(type_))
    headers = draw(hostile_headers())
    if path.endswith("_search"):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return Hostile("POST", path, headers, text.encode())
    method = draw(some.sampled_from(METHODS))
    joined = path + ("&" if "?" in path else "?") + text
    return Hostile(method, joined, headers)


ASKED = (
    *("urn:uuid:a", "metadata", "_history?_count=1", "?_type=Patient", "_search?_id=a", "$meta"),
    *("Patient/$everything", "Patient/$match", "Observation/$lastn", "ValueSet/$expand?url=urn:vs"),
    *("Binary/a", "Patient/a/_history/1", "Patient/%61", "OperationDefinition/send-mss", "$x"),
)
CONDITIONS = ("ifMatch", "ifNoneExist", "ifNoneMatch", "ifModifiedSince")


@some.composite
def bundles(draw: some.DrawFn) -> Hostile:
    """Give a batch or a transaction of entries of all kinds, sound ones and others."""
    entries = []
    for _ in range(draw(some.integers(0, 5))):
        resource = draw(_spoilt())
        type_ = draw(some.sampled_from(TYPES))
        urls = (type_, f"{type_}/a", f"{type_}?{draw(query(type_))}", "", "/", "Patient/a/_history")
        request = {
            "method": draw(some.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"))),
            "url": draw(some.sampled_from((*urls, *ASKED, f"{type_}/$validate", f"{type_}/a/*"))),
        }
        if draw(some.booleans()):
            name = draw(some.sampled_from(CONDITIONS))
            values = ('W/"1"', "identifier=a", "*", "", "a=b", "0001-01-01T00:00:00+14:00", 1)
            request[name] = draw(some.sampled_from(values))
        entry: dict[str, Any] = {"request": request}
        if draw(some.booleans()):
            entry["resource"] = resource
        if draw(some.booleans()):
            ids = ("urn:uuid:00000000-0000-4000-8000-000000000001", "urn:uuid:", "Patient/a", "#a")
            entry["fullUrl"] = draw(some.sampled_from(ids))
        entries.append(entry)
    kind = draw(some.sampled_from(("batch", "transaction")))
    made = {"resourceType": "Bundle", "type": kind, "entry": entries}
    random = draw(some.randoms(use_true_random=False))
    if draw(some.integers(0, 3)) == 0:
        made = _mutated(draw, random, made)
    return Hostile(
        "POST", "/fhir", draw(hostile_headers()) | {"Content-Type": JSON}, _spelled(made)
    )


POINTERS = (
    *("", "/", "/name", "/name/0", "/name/-", "/name/0/family", "/name/9999999999", "/name/-1"),
    *("/id", "/meta", "/resourceType", "/~", "/~1", "/~2", "/name/01", "/name/0/given/0", "name"),
    *("/active", "/birthDate", "/_birthDate", "/contained", "/extension/0/valueDecimal"),
)
PLACES = (
    *("Patient", "Patient.name", "Patient.name[0]", "Patient.name.where(use='official')", ""),
    *("Patient.name[0].family", "Patient.birthDate", "Patient.descendants()", "Patient.name[-1]"),
    *("Patient.name.first().given", "%resource", "(", "Patient." + "name." * 100, "Patient.id"),
    *("Patient.extension('urn:a').value", "Observation.code", "1 + 1", "Patient.name | Patient"),
)


@some.composite
def patches(draw: some.DrawFn) -> Hostile:
    """Give a patch of one of the two kinds, of steps that may lead nowhere."""
    where = draw(some.sampled_from(("/fhir/Patient/a", "/fhir/Patient?_id=a", "/fhir/Binary/b")))
    headers = draw(hostile_headers())
    count = draw(some.integers(0, 4))
    if draw(some.booleans()):
        pointer = some.sampled_from(POINTERS)
        steps = [
            {
                "op": draw(
                    some.sampled_from(("add", "remove", "replace", "move", "copy", "test", "x"))
                ),
                "path": draw(pointer),
                "from": draw(pointer),
                "value": draw(some.sampled_from(mutations.BROKEN)),
            }
            for _ in range(count)
        ]
        return Hostile("PATCH", where, headers | {"Content-Type": JSON_PATCH}, _spelled(steps))
    kinds = some.sampled_from(("add", "insert", "delete", "replace", "move", ""))
    operations = [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": draw(kinds)},
                {"name": "path", "valueString": draw(some.sampled_from(PLACES))},
                {
                    "name": "name",
                    "valueString": draw(some.sampled_from(("name", "active", "", "x"))),
                },
                {"name": "index", "valueInteger": draw(some.sampled_from((0, 1, -1, 2**31 - 1)))},
                draw(some.sampled_from(({"name": "value", "valueString": "a"}, {"name": "value"}))),
            ],
        }
        for _ in range(count)
    ]
    made: Any = {"resourceType": "Parameters", "parameter": operations}
    if draw(some.integers(0, 3)) == 0:
        made = _mutated(draw, draw(some.randoms(use_true_random=False)), made)
    return Hostile("PATCH", where, headers | {"Content-Type": JSON}, _spelled(made))


@some.composite
def byte_requests(draw: some.DrawFn) -> Hostile:
    """Give a read or a write of a Binary in its own type, with ranges and codings."""
    headers = draw(hostile_headers())
    if draw(some.booleans()):
        return Hostile(draw(some.sampled_from(("GET", "HEAD"))), "/fhir/Binary/b", headers)
    types = ("text/plain", "application/pdf", "a", "", "*/*", "text/plain; charset=x", JSON)
    headers["Content-Type"] = draw(some.sampled_from(types))
    return Hostile("PUT", "/fhir/Binary/b", headers, draw(some.binary(max_size=200)))


KINDS = {
    "JSON bodies": json_bodies(),
    "XML bodies": xml_bodies(),
    "searches": searches(),
    "questions": questions(),
    "operations": calls(_spoilt()),
    "bundles": bundles(),
    "patches": patches(),
    "bytes": byte_requests(),
}
"""What is drawn, by name."""
