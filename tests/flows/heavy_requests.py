"""Requests that are small to send and would be dear to answer: none may take half a second.

Regular expressions that run away, chains and filters at their bounds, patches that walk or copy,
bodies that are one fault many times, texts that are long where a pattern reads them.
"""

import gzip
import json
from typing import Any
from urllib.parse import quote

from tests.flows.hostile_request import Hostile

JSON = {"Content-Type": "application/fhir+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
XML = {"Content-Type": "application/fhir+xml"}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"'


def _get(query: str, **headers: str) -> Hostile:
    return Hostile("GET", f"/fhir/Patient{query}", headers)


def _send(method: str, address: str, body: Any, headers: dict[str, str] | None = None) -> Hostile:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Hostile(method, f"/fhir{address}", headers or JSON, content)


def _new(**members: Any) -> Hostile:
    return _send("POST", "/Patient", {"resourceType": "Patient", **members})


def _narrated(div: str) -> Hostile:
    return _new(text={"status": "generated", "div": div})


def _expanded(expression: str) -> Hostile:
    chosen = {"property": "code", "op": "regex", "value": expression}
    include = [{"system": "urn:heavy", "filter": [chosen]}]
    value_set = {"resourceType": "ValueSet", "status": "active", "compose": {"include": include}}
    given = [{"name": "valueSet", "resource": value_set}]
    return _send("POST", "/ValueSet/$expand", {"resourceType": "Parameters", "parameter": given})


def _walked(path: str, times: int) -> Hostile:
    parts = [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": path}]
    operations = [{"name": "operation", "part": parts}] * times
    body = {"resourceType": "Parameters", "parameter": operations}
    return _send("PATCH", "/Patient/heavy", body)


def _included(parts: list[dict[str, Any]]) -> Hostile:
    value_set = {"resourceType": "ValueSet", "status": "active", "compose": {"include": parts}}
    given = [{"name": "valueSet", "resource": value_set}]
    return _send("POST", "/ValueSet/$expand", {"resourceType": "Parameters", "parameter": given})


def _without(property_: str) -> dict[str, Any]:
    chosen = {"property": property_, "op": "exists", "value": "false"}
    return {"system": "urn:heavy", "filter": [chosen]}


def _transaction(resource: dict[str, Any], times: int) -> Hostile:
    entry = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
    return _send(
        "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry] * times}
    )


def _linked(reference: str, times: int) -> list[dict[str, Any]]:
    return [{"other": {"reference": f"{reference}{n}"}, "type": "seealso"} for n in range(times)]


NAMES = [{"family": "x" * 50, "given": ["a"] * 20} for _ in range(1_500)]
CONCEPTS = [{"code": "a" * 40 + f"!{n}", "display": "a" * 100} for n in range(2_000)]
KEPT: tuple[Hostile, ...] = (
    _send("PUT", "/Patient/heavy", {"resourceType": "Patient", "id": "heavy", "name": NAMES}),
    _send(
        "PUT",
        "/CodeSystem/heavy",
        {
            "resourceType": "CodeSystem",
            "id": "heavy",
            "url": "urn:heavy",
            "status": "active",
            "content": "complete",
            "concept": CONCEPTS,
        },
    ),
)
"""What must be there first."""

HEAVY: dict[str, Hostile] = {
    "a pattern that runs away": _expanded("(a+)+$"),
    "another": _expanded("(a|a)*b"),
    "a third": _expanded("(.*)*x"),
    "a pattern of a million states": _expanded("((a{1,100}){1,100}){1,100}"),
    "40 links": _get("?" + "&".join(["link:Patient." * 4 + "name=a"] * 10)),
    "39 chains, too many": _get("?" + "&".join(["link:Patient." * 6 + "name=a"] * 39)),
    "20 _has": _get(
        "?" + "&".join(["_has:Observation:subject:_has:Provenance:target:_lastUpdated=ge2000"] * 20)
    ),
    "60 comparisons": _get("?_filter=" + quote(" and ".join(["name co 'a'"] * 60))),
    "40 chains in a filter": _get("?_filter=" + quote(" or ".join(["link.name co 'a'"] * 40))),
    "every link": _get("?_include=*&_revinclude=*&_include:iterate=*&_revinclude:iterate=*"),
    "90 values": _get("?identifier=" + ",".join(["urn:a|b"] * 90)),
    "five sorts": _get("?_sort=name,-birthdate,identifier,gender,family&_count=1000"),
    "200 elements": _get("?_elements=" + ",".join(["name.family"] * 200)),
    "XML to be read": _get("/heavy?_format=xml&_pretty=true"),
    "$everything": _get("/$everything?_count=1000"),
    "4,000 media types": _get("/heavy", Accept=",".join(["a/b;q=0.1"] * 4_000)),
    "5,000 tags": _get("/heavy", **{"If-None-Match": ",".join(['W/"9"'] * 5_000)}),
    "8,000 preferences": _get("/heavy", Prefer=",".join(["a=b"] * 8_000)),
    "$validate": _send("POST", "/Patient/$validate", {"resourceType": "Patient", "name": NAMES}),
    "$match": _send("POST", "/Patient/$match", {"resourceType": "Patient", "name": NAMES}),
    "10,000 steps": _send(
        "PATCH",
        "/Patient/heavy",
        [{"op": "add", "path": "/name/0", "value": {}}] * 10_000,
        JSON_PATCH,
    ),
    "copies of copies": _send(
        "PATCH",
        "/Patient/heavy",
        [{"op": "copy", "from": "/name", "path": "/name/0/extension"}] * 30,
        JSON_PATCH,
    ),
    "long walks": _walked("Patient.name.where(given.where($this='a').exists())", 200),
    "a path of 3,000 names": _walked("Patient" + ".name" * 3_000, 1),
    "5,000 parentheses": _walked("(" * 5_000, 1),
    "15,000 faults": _new(name=[{"zz": 1}] * 15_000),
    "50,000 unknown members": _new(**{f"z{n}": 1 for n in range(50_000)}),
    "20,000 unknown elements": _send(
        "POST",
        "/Patient",
        b'<Patient xmlns="http://hl7.org/fhir">' + b"<zz/>" * 20_000 + b"</Patient>",
        XML,
    ),
    "one member 50,000 times": _send(
        "POST", "/Patient", b'{"resourceType":"Patient"' + b',"a":1' * 50_000 + b"}"
    ),
    "20,000 elements of a narrative": _narrated(DIV + ">" + "<b>a</b>" * 20_000 + "</div>"),
    "100,000 blanks in a tag": _narrated(DIV + " " * 100_000 + "<"),
    "100,000 entities": _narrated(DIV + ">" + "&amp;" * 100_000 + "</div>"),
    "600 kB that is no base64": _new(photo=[{"data": "QQ " * 200_000 + "!"}]),
    "a uri of 500 kB": _new(implicitRules="a" * 500_000 + " "),
    "a code of 400 kB": _new(language="a " * 200_000 + " "),
    "an OID of 400 kB": _new(identifier=[{"system": "urn:oid:" + "1." * 200_000, "value": "a"}]),
    "a date of 500 kB": _new(birthDate="1" * 500_000),
    "a name of 300,000 accents": _new(name=[{"family": "a" + "\u0301\u0323" * 150_000}]),
    "a letter that becomes 18": _new(name=[{"family": "\ufdfa" * 30_000}]),
    "a number of 100,000 digits": _send(
        "POST", "/Patient", b'{"resourceType":"Patient","a":' + b"1" * 100_000 + b"}"
    ),
    "gzip that unfolds": Hostile(
        "POST",
        "/fhir/Patient",
        JSON | {"Content-Encoding": "gzip"},
        gzip.compress(b'{"resourceType":"Patient","name":[' + b"{}," * 10_000_000),
    ),
    "100,000 objects in one another": _send("POST", "/Patient", b'{"a":' * 100_000),
    "500,000 arrays in one another": _send("POST", "/Patient", b"[" * 500_000),
    "100,000 elements in one another": _send("POST", "/Patient", b"<a>" * 100_000, XML),
    "10,000 namespaces": _send(
        "POST",
        "/Patient",
        b"".join(b'<n%d:a xmlns:n%d="urn:%d">' % (n, n, n) for n in range(10_000)),
        XML,
    ),
    "1,000 conditional references": _send(
        "POST",
        "",
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "resource": {
                        "resourceType": "Observation",
                        "status": "final",
                        "code": {"text": "a"},
                        "subject": {"reference": f"Patient?identifier=urn:no|{number}"},
                    },
                    "request": {"method": "POST", "url": "Observation"},
                }
                for number in range(1_000)
            ],
        },
    ),
    "500 includes": _included([{"system": "urn:heavy"}] * 500),
    "500 includes, each its own": _included([_without(f"p{n}") for n in range(500)]),
    "15,000 references to nothing": _send(
        "POST",
        "/Patient/$validate",
        {"resourceType": "Patient", "link": _linked("Patient/no-", 15_000)},
    ),
    "15,000 matricules at fault": _send(
        "POST",
        "/Patient/$validate",
        {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "1"}] * 15_000,
        },
    ),
    "500 entries of 50 faults": _transaction(
        {"resourceType": "Patient", "name": [{"zz": 1}] * 50}, 500
    ),
    "500 entries of 50 links to nothing": _transaction(
        {"resourceType": "Patient", "link": _linked("urn:uuid:", 50)}, 500
    ),
    "a word of 40,000 letters that may not be heard": _send(
        "POST",
        "/Patient/_search",
        b"name:phonetic=" + b"dt" * 20_000 + b"a",
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "20,000 profiles": _new(meta={"profile": [f"urn:{n}" for n in range(20_000)]}),
    "5,000 contained": _new(
        contained=[
            {"resourceType": "Basic", "id": str(n), "code": {"text": "a"}} for n in range(5_000)
        ]
    ),
}
"""By what is heavy in them."""
