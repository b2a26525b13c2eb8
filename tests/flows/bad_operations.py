"""Operations, bytes, ranges and codings at fault: rows of the table of bad input."""

import gzip
from typing import Any

from tests.flows.bad_input import CANARY, STRICT, Answer, Case

THERE = "/fhir/Patient/there"
BYTES = "/fhir/Binary/bytes"
_EMPTY = {"resourceType": "Parameters"}
_MALFORMED = Answer(400, "operation.input-malformed")
_MISSING = Answer(400, "operation.input-missing")
_GIVEN_NOT = Answer(400, "terminology.given-not")


def _get(title: str, address: str, answer: Answer, place: str | None = None) -> Case:
    return Case(title, "GET", address, answer, headers=STRICT, place=place)


def _post(title: str, address: str, body: Any, answer: Answer, place: str | None = None) -> Case:
    return Case(title, "POST", address, answer, body, place=place)


def _parameters(name: str, **value: Any) -> dict[str, Any]:
    return _EMPTY | {"parameter": [{"name": name, **value}]}


OPERATIONS = (
    _post(
        "an operation that there is not",
        f"{THERE}/$nothing",
        _EMPTY,
        Answer(501, "http.not-there-yet"),
    ),
    _post(
        "an operation of another type",
        "/fhir/Location/there/$everything",
        _EMPTY,
        Answer(501, "http.not-there-yet"),
    ),
    _get(
        "`GET` of one that changes the record",
        f"{THERE}/$meta-add",
        Answer(405, "http.method-not-allowed"),
    ),
    _post(
        "a body of another type",
        f"{THERE}/$meta-add",
        {"resourceType": "Basic"},
        Answer(400, "http.type-mismatch"),
        "resourceType",
    ),
    _post("no input", f"{THERE}/$meta-add", _EMPTY, _MISSING, "Parameters.parameter"),
    _post(
        "an input of another kind",
        f"{THERE}/$meta-add",
        _parameters("meta", valueString=CANARY),
        _MALFORMED,
        "Parameters.parameter[0].value",
    ),
    _post(
        "a resource that is not there",
        "/fhir/Patient/bad-input/$meta-add",
        _parameters("meta", valueMeta={"tag": [{"code": CANARY}]}),
        Answer(404, "record.not-found"),
    ),
    _get(
        "`$everything` since no moment",
        f"{THERE}/$everything?_since={CANARY}",
        _MALFORMED,
        "_since",
    ),
    _get("`$everything` from no date", f"{THERE}/$everything?start={CANARY}", _MALFORMED, "start"),
    _get(
        "`$ligne-de-vie` from no date", f"{THERE}/$ligne-de-vie?start={CANARY}", _MALFORMED, "start"
    ),
    _get("`$ligne-de-vie` of no kind", f"{THERE}/$ligne-de-vie?kind={CANARY}", _MALFORMED, "kind"),
    _get(
        "`$ligne-de-vie` in no order", f"{THERE}/$ligne-de-vie?_sort={CANARY}", _MALFORMED, "_sort"
    ),
    _get(
        "`$ligne-de-vie` with a cursor that is none",
        f"{THERE}/$ligne-de-vie?_cursor={CANARY}",
        Answer(400, "search.cursor-invalid"),
        "_cursor",
    ),
    _get(
        "`$cercle-de-soins` at no date", f"{THERE}/$cercle-de-soins?at={CANARY}", _MALFORMED, "at"
    ),
    _get(
        "`$everything` of an unknown type",
        f"{THERE}/$everything?_type={CANARY}",
        Answer(400, "http.type-unknown"),
        "_type",
    ),
    _get(
        "`$everything` with a cursor that is none",
        f"{THERE}/$everything?_cursor={CANARY}",
        Answer(400, "search.cursor-invalid"),
        "_cursor",
    ),
    _get(
        "`$everything` with an unknown parameter",
        f"{THERE}/$everything?surname={CANARY}",
        Answer(400, "http.parameter-unknown"),
    ),
    _get(
        "`$everything` of nobody",
        "/fhir/Patient/bad-input/$everything",
        Answer(404, "record.not-found"),
    ),
    _get(
        "`$document` of what is not there",
        "/fhir/Composition/bad-input/$document",
        Answer(404, "record.not-found"),
    ),
    _post(
        "`$match` without a Patient",
        "/fhir/Patient/$match",
        _EMPTY,
        _MISSING,
        "Parameters.parameter",
    ),
    _post(
        "`$match` of another type",
        "/fhir/Patient/$match",
        {"resourceType": "Basic", "code": {"text": CANARY}},
        Answer(400, "http.type-mismatch"),
        "resourceType",
    ),
    _post(
        "`$validate` of nothing",
        "/fhir/Patient/$validate",
        _EMPTY,
        Answer(400, "operation.nothing-to-validate"),
    ),
    _post(
        "`$validate` for an unknown mode",
        "/fhir/Patient/$validate",
        _EMPTY
        | {
            "parameter": [
                {"name": "mode", "valueCode": CANARY},
                {"name": "resource", "resource": {"resourceType": "Patient"}},
            ]
        },
        Answer(400, "operation.mode-unknown"),
        "mode",
    ),
    _get("`$expand` of nothing", "/fhir/ValueSet/$expand", _GIVEN_NOT),
    _get(
        "`$expand` of a value set that nobody knows",
        "/fhir/ValueSet/$expand?url=urn:nothing",
        Answer(404, "terminology.value-set-unknown"),
    ),
    _get("`$lookup` of nothing", "/fhir/CodeSystem/$lookup", _GIVEN_NOT),
    _get(
        "`$lookup` in a system that nobody knows",
        f"/fhir/CodeSystem/$lookup?system=urn:nothing&code={CANARY}",
        Answer(404, "terminology.system-unknown"),
    ),
    _get("`$translate` of nothing", "/fhir/ConceptMap/$translate", _GIVEN_NOT),
    _get("`$subsumes` of nothing", "/fhir/CodeSystem/$subsumes", _GIVEN_NOT),
)


def _bytes(title: str, method: str, body: Any, answer: Answer, **headers: str) -> Case:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Case(title, method, BYTES, answer, body, named)


_BEYOND = Answer(416, "binary.range-beyond-end")
CODED = (
    _bytes("a range beyond the end", "GET", None, _BEYOND, range="bytes=99-", accept="text/plain"),
    _bytes("the last 0 bytes", "GET", None, _BEYOND, range="bytes=-0", accept="text/plain"),
    _bytes(
        "bytes in a type that they are not of",
        "GET",
        None,
        Answer(406, "http.format-not-served"),
        accept="image/png",
    ),
    _bytes(
        "bytes of no type", "PUT", b"a", Answer(415, "http.content-type-missing"), content_type=""
    ),
    _bytes(
        "bytes of a type without a subtype",
        "PUT",
        b"a",
        Answer(415, "http.content-type-malformed"),
        content_type="word",
    ),
    _bytes(
        "another resource at the address of a Binary",
        "PUT",
        {"resourceType": "Patient", "id": "bytes"},
        Answer(400, "http.type-mismatch"),
    ),
    _bytes(
        "a security context that is no reference",
        "PUT",
        CANARY.encode(),
        Answer(400, "binary.security-context-malformed"),
        content_type="text/plain",
        x_security_context=f"<{CANARY}>",
    ),
    Case(
        "60 MB of blanks in 60 KB of gzip",
        "PUT",
        THERE,
        Answer(413, "http.body-inflates"),
        gzip.compress(b" " * 60_000_000, mtime=0),
        {"content-encoding": "gzip"},
    ),
    Case(
        "gzip in gzip",
        "PUT",
        THERE,
        Answer(415, "http.content-encoding-not-read"),
        b"a",
        {"content-encoding": "gzip, gzip"},
    ),
    Case(
        "gzip with something after it",
        "PUT",
        THERE,
        Answer(400, "answer.body-not-gzip"),
        gzip.compress(b"{}", mtime=0) + CANARY.encode(),
        {"content-encoding": "gzip"},
    ),
)
