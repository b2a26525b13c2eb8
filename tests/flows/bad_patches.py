"""Patches and conditional deletes at fault: rows of the table of bad input."""

from typing import Any

from tests.flows.bad_input import CANARY, SENT, Answer, Case

THERE = "/fhir/Patient/there"
JSON_PATCH = {"content-type": "application/json-patch+json"}
_VALUE = {"valueString": CANARY}
_FIRST = "Parameters.parameter[0]"


def _json(title: str, steps: Any, answer: Answer, place: str | None = None, **more: str) -> Case:
    """Give a JSON Patch of a Patient that is there."""
    headers = JSON_PATCH | {name.replace("_", "-"): value for name, value in more.items()}
    return Case(title, "PATCH", THERE, answer, steps, headers, place)


def _fhirpath(title: str, kind: str, path: str, answer: Answer, place: str, **more: Any) -> Case:
    """Give a FHIRPath Patch of one operation."""
    parts: list[dict[str, Any]] = [
        {"name": "type", "valueCode": kind},
        {"name": "path", "valueString": path},
    ]
    for name, value in more.items():
        told = {"valueInteger": value} if isinstance(value, int) else {"valueString": value}
        parts.append({"name": name, **(value if isinstance(value, dict) else told)})
    operation = {"name": "operation", "part": parts}
    body = {"resourceType": "Parameters", "parameter": [operation]}
    return Case(title, "PATCH", THERE, answer, body, place=place)


PATCHES = (
    _json("a JSON Patch that is no list", {"op": "add"}, Answer(400, "patch.json-array")),
    _json("a JSON Patch cut short", b'[{"op":"add"', Answer(400, "json.malformed")),
    _json("a step that is a text", [CANARY], Answer(400, "patch.operation-object"), "/0"),
    _json(
        "an unknown step",
        [{"op": CANARY, "path": "/active"}],
        Answer(400, "patch.operation-unknown"),
        "/0/op",
    ),
    _json("a step without `path`", [{"op": "remove"}], Answer(400, "patch.member-missing"), "/0"),
    _json(
        "a pointer without its slash",
        [{"op": "remove", "path": "active"}],
        Answer(400, "patch.pointer-malformed"),
        "/0/path",
    ),
    _json(
        "a pointer that leads nowhere",
        [{"op": "remove", "path": f"/{CANARY}"}],
        Answer(422, "patch.nowhere"),
        "/0",
    ),
    _json(
        "an index beyond the end",
        [{"op": "add", "path": "/name/7", "value": {}}],
        Answer(422, "patch.nowhere"),
        "/0",
    ),
    _json(
        "a `test` that does not hold",
        [{"op": "test", "path": "/active", "value": CANARY}],
        Answer(422, "patch.test-failed"),
        "/0",
    ),
    _json(
        "a member moved into itself",
        [{"op": "move", "from": "/meta", "path": "/meta/a"}],
        Answer(400, "patch.move-into-itself"),
        "/0/path",
    ),
    _json(
        "a patch that makes an unsound resource",
        [{"op": "add", "path": "/surname", "value": CANARY}],
        Answer(400, "structure.unknown-element"),
        "Patient.surname",
    ),
    _json(
        "a patch of the id",
        [{"op": "replace", "path": "/id", "value": "other"}],
        Answer(422, "patch.identity-changed"),
        "Patient.id",
    ),
    _json(
        "a patch of the type",
        [{"op": "replace", "path": "/resourceType", "value": "Basic"}],
        Answer(422, "patch.identity-changed"),
        "Patient.resourceType",
    ),
    _json(
        "10,001 steps",
        [{"op": "test", "path": "/active", "value": True}] * 10_001,
        Answer(400, "patch.too-many-operations"),
    ),
    _json(
        "a patch with `If-Match` of an older version",
        [{"op": "replace", "path": "/active", "value": False}],
        Answer(412, "record.version-conflict"),
        if_match='W/"1"',
    ),
    Case(
        "a patch of what is not there",
        "PATCH",
        "/fhir/Patient/bad-input",
        Answer(404, "record.not-found"),
        [{"op": "remove", "path": "/active"}],
        JSON_PATCH,
    ),
    Case(
        "an XML Patch",
        "PATCH",
        THERE,
        Answer(415, "patch.media-type"),
        b"<diff/>",
        {"content-type": "application/xml-patch+xml"},
    ),
    Case(
        "a JSON Merge Patch",
        "PATCH",
        THERE,
        Answer(415, "patch.media-type"),
        {"active": False},
        {"content-type": "application/merge-patch+json"},
    ),
    _fhirpath(
        "a path that is no FHIRPath",
        "delete",
        "Patient..name",
        Answer(400, "patch.path-not-read"),
        f"{_FIRST}.part.where(name='path')",
    ),
    _fhirpath(
        "an insertion into the resource itself",
        "insert",
        "%resource",
        Answer(422, "patch.does-not-suit"),
        _FIRST,
        index=0,
        value=_VALUE,
    ),
    _fhirpath(
        "a path of another type",
        "replace",
        "Observation.status",
        Answer(422, "patch.does-not-suit"),
        _FIRST,
        value=_VALUE,
    ),
    _fhirpath(
        "an element that the type does not have",
        "add",
        "Patient",
        Answer(422, "patch.does-not-suit"),
        _FIRST,
        name="surname",
        value=_VALUE,
    ),
    _fhirpath(
        "an unknown operation of FHIRPath Patch",
        CANARY,
        "Patient.active",
        Answer(400, "patch.operation-unknown"),
        _FIRST,
    ),
    _fhirpath(
        "a replacement of what is not there",
        "replace",
        "Patient.birthDate",
        Answer(422, "patch.nowhere"),
        _FIRST,
        value={"valueDate": "1979-03-28"},
    ),
    _fhirpath(
        "an insertion beyond the end",
        "insert",
        "Patient.name",
        Answer(422, "patch.index-beyond"),
        _FIRST,
        index=9,
        value={"valueHumanName": {"text": CANARY}},
    ),
    Case(
        "a conditional patch that several match",
        "PATCH",
        "/fhir/Patient?active=true",
        Answer(412, "record.several-match"),
        [{"op": "remove", "path": "/active"}],
        JSON_PATCH,
    ),
    Case(
        "a conditional patch that nothing matches",
        "PATCH",
        f"/fhir/Patient?identifier={CANARY}",
        Answer(404, "record.none-match"),
        [{"op": "remove", "path": "/active"}],
        JSON_PATCH,
    ),
    Case(
        "a conditional patch without criteria",
        "PATCH",
        "/fhir/Patient",
        Answer(400, "http.criteria-missing"),
        [{"op": "remove", "path": "/active"}],
        JSON_PATCH,
    ),
)


def _delete(title: str, query: str, answer: Answer, place: str | None = None) -> Case:
    return Case(title, "DELETE", f"/fhir/Patient{query}", answer, place=place)


DELETES = (
    _delete("no criteria", "", Answer(400, "http.criteria-missing")),
    _delete("criteria that several match", "?active=true", Answer(412, "record.several-match")),
    _delete(
        "an unknown criterion",
        f"?surname={CANARY}",
        Answer(400, "search.unknown-parameter"),
        "surname",
    ),
    _delete(
        "a parameter of the result",
        "?_count=1",
        Answer(400, "search.parameter-not-supported"),
        "_count",
    ),
    _delete("a criterion without value", "?name=", Answer(400, "search.value-missing"), "name"),
    Case(
        "`If-Match` of an older version",
        "DELETE",
        f"/fhir/DocumentReference?_id={SENT}",
        Answer(412, "record.version-conflict"),
        headers={"if-match": 'W/"9"'},
    ),
    _delete("what others refer to", "/there", Answer(409, "reference.still-referred"), "Patient"),
    _delete(
        "what others refer to, by criteria", "?_id=there", Answer(409, "reference.still-referred")
    ),
)
