"""Searches that are understood, and operations: what goes through to the record and its SQL.

Names, modifiers and values fit each other more often than not; what they find does not matter.
"""

import json
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as some

from passerelle.fhir.search.language.filter_criteria import OPERATORS
from passerelle.fhir.search.language.modifiers import allowed
from passerelle.fhir.search.search_parameters import Parameter, parameters
from tests.flows.hostile_request import Hostile
from tests.flows.hostile_seeds import SEEDS
from tests.flows.hostile_values import TYPES, VALUES, hostile_headers

JSON = "application/fhir+json"
UCUM = "http://unitsofmeasure.org"
PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
FITTING: dict[str, tuple[str, ...]] = {
    "token": (
        "a",
        "urn:oid:1.2.3|42",
        "|a",
        "urn:cs|",
        "true",
        "8480-6",
        "a,b,|c",
        "\u202e|é",
        "İ",
    ),
    "string": ("a", "Durand", "D'ALMEIDA", "é", "%", "_", "a\\,b,c", "'", "ß", "a" * 300, "İ", "-"),
    "reference": ("Patient/a", "a", "http://a/Patient/b", "urn:uuid:a", "Patient/a,List/a", "#a"),
    "date": ("2026", "2026-01", "2026-02-28", "2026-01-01T10:00Z", "0001", "9999", "9999-12-31"),
    "number": ("1", "-1.50", "1e3", "0", "1e-7", "99999999999999999999", "0.000000000000000001"),
    "quantity": (
        f"5.4|{UCUM}|mg",
        "5",
        "5||mg",
        f"1|{UCUM}|kg/m2",
        f"0|{UCUM}|Cel",
        "1e10|urn:a|b",
    ),
    "uri": ("urn:a", "http://a/b/c", "urn:oid:1.2.3", "a", "http://a/%", "urn:vs"),
    "special": ("48.8|2.3|10|km", "90|180|1|m", "-90|-180|20000|km", "0|0", "89.99|179.99|500|km"),
}
"""Values by kind of parameter, before a prefix."""

TEXTS = {"missing": ("true", "false"), "in": ("urn:vs",), "not-in": ("urn:vs",)}
"""Values by modifier."""


@some.composite
def value(draw: some.DrawFn, parameter: Parameter, modifier: str = "") -> str:
    """Give a value that a parameter may take, or now and then one that it may not."""
    if draw(some.integers(0, 14)) == 0:
        return draw(some.sampled_from(VALUES))
    if modifier in TEXTS:
        return draw(some.sampled_from(TEXTS[modifier]))
    if modifier == "of-type":
        return "urn:a|b|c"
    if modifier == "identifier":
        return draw(some.sampled_from(FITTING["token"]))
    if parameter.kind == "composite":
        kinds = [part.kind for part in parameter.components]
        return "$".join(draw(_of_kind(kind)) for kind in kinds)
    return draw(_of_kind(parameter.kind))


@some.composite
def _of_kind(draw: some.DrawFn, kind: str) -> str:
    prefix = ""
    if kind in ("date", "number", "quantity"):
        prefix = draw(some.sampled_from(PREFIXES))
    return prefix + draw(some.sampled_from(FITTING[kind]))


@some.composite
def _criterion(draw: some.DrawFn, type_: str, depth: int = 0) -> tuple[str, str]:
    """Give a name and a value: of a parameter, of a chain, or of a `_has`."""
    parameter = draw(some.sampled_from(sorted(parameters(type_).values())))
    shape = draw(some.integers(0, 9)) if depth < 4 else 9
    if shape == 0:
        other = draw(some.sampled_from(TYPES))
        links = [code for code, each in parameters(other).items() if each.kind == "reference"]
        name, text = draw(_criterion(other, depth + 1))
        return f"_has:{other}:{draw(some.sampled_from(sorted(links) or ['subject']))}:{name}", text
    if shape < 3 and parameter.kind == "reference":
        targets = [each for each in parameter.targets if each in TYPES] or ["Patient"]
        target = draw(some.sampled_from(targets))
        name, text = draw(_criterion(target, depth + 1))
        return f"{parameter.code}:{target}.{name}", text
    modifier = ""
    if draw(some.booleans()):
        modifier = draw(some.sampled_from(sorted(allowed(parameter) or {""})))
    name = f"{parameter.code}:{modifier}" if modifier else parameter.code
    return name, draw(value(parameter, modifier))


@some.composite
def _filtered(draw: some.DrawFn, type_: str, depth: int = 0) -> str:
    """Give a `_filter`."""
    shape = draw(some.integers(0, 4)) if depth < 4 else 4
    if shape < 2:
        join = draw(some.sampled_from(("and", "or")))
        parts = [draw(_filtered(type_, depth + 1)) for _ in range(2)]
        return f"({parts[0]}) {join} {parts[1]}"
    if shape == 2:
        return f"not ({draw(_filtered(type_, depth + 1))})"
    parameter = draw(some.sampled_from(sorted(parameters(type_).values())))
    operator = draw(some.sampled_from(sorted(OPERATORS.get(parameter.kind) or {"eq": ""})))
    text = draw(value(parameter)).replace('"', "")
    return f'{parameter.code} {operator} "{text}"'


@some.composite
def _results(draw: some.DrawFn, type_: str) -> tuple[str, str]:
    """Give a parameter of the result."""
    codes = sorted(parameters(type_))
    links = [code for code, each in parameters(type_).items() if each.kind == "reference"]
    choices = [
        ("_sort", draw(some.sampled_from(("", "-"))) + draw(some.sampled_from(codes))),
        ("_count", draw(some.sampled_from(("0", "1", "2", "1000")))),
        ("_total", "accurate"),
        ("_summary", draw(some.sampled_from(("true", "text", "data", "count")))),
        ("_elements", "id,name,status"),
        ("_include", draw(some.sampled_from(("*", f"{type_}:*")))),
        ("_revinclude", draw(some.sampled_from(("*", "Observation:subject", "List:item")))),
        ("_list", "a"),
        ("_lastUpdated", "ge2026"),
    ]
    if links:
        choices.append(("_include:iterate", f"{type_}:{draw(some.sampled_from(sorted(links)))}"))
    return draw(some.sampled_from(choices))


@some.composite
def questions(draw: some.DrawFn) -> Hostile:
    """Give a search that is understood more often than not."""
    type_ = draw(some.sampled_from(TYPES))
    pairs = [draw(_criterion(type_)) for _ in range(draw(some.integers(0, 3)))]
    if draw(some.integers(0, 3)) == 0:
        pairs.append(("_filter", draw(_filtered(type_))))
    pairs += [draw(_results(type_)) for _ in range(draw(some.integers(0, 2)))]
    text = urlencode(pairs, quote_via=quote, safe=":,$")
    where = draw(
        some.sampled_from((f"/fhir/{type_}", f"/fhir/{type_}", f"/fhir/Patient/a/{type_}"))
    )
    if draw(some.integers(0, 9)) == 0:
        where, text = "/fhir", f"_type={type_}&{text}"
    strict = {"Prefer": "handling=strict"} if draw(some.booleans()) else {}
    return Hostile(
        draw(some.sampled_from(("GET", "GET", "GET", "HEAD"))), f"{where}?{text}", strict
    )


CALLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("/fhir/ValueSet/$expand", ("valueSet", "url", "filter", "count", "offset", "date")),
    ("/fhir/ValueSet/$validate-code", ("valueSet", "url", "code", "system", "coding", "abstract")),
    ("/fhir/ValueSet/a/$expand", ("filter", "count", "offset", "displayLanguage")),
    ("/fhir/CodeSystem/$validate-code", ("codeSystem", "url", "code", "coding")),
    ("/fhir/CodeSystem/$lookup", ("code", "system", "coding", "property", "date")),
    ("/fhir/CodeSystem/$subsumes", ("codeA", "codeB", "system", "codingA", "codingB")),
    ("/fhir/ConceptMap/$translate", ("url", "conceptMap", "code", "system", "reverse", "coding")),
    ("/fhir/Patient/$match", ("resource", "onlyCertainMatches", "count")),
    ("/fhir/Patient/$validate", ("resource", "mode", "profile")),
    ("/fhir/Observation/a/$validate", ("resource", "mode", "profile")),
    ("/fhir/Patient/a/$meta-add", ("meta",)),
    ("/fhir/Patient/a/$meta-delete", ("meta",)),
    ("/fhir/Patient/a/$everything", ("_since", "_type", "_count", "start", "end", "_cursor")),
    ("/fhir/Patient/a/$ligne-de-vie", ("start", "end", "kind", "_sort", "_count", "_cursor")),
    ("/fhir/Patient/a/$cercle-de-soins", ("at",)),
    ("/fhir/Observation/$lastn", ("max", "subject", "code", "category")),
    ("/fhir/DocumentReference/a/$send-mss", ("recipient", "subject", "resource")),
)
"""Operations and the names of what they take."""


@some.composite
def _input(draw: some.DrawFn, name: str, resource: Any) -> dict[str, Any]:
    """Give one input, in a form that it may have or another."""
    text = draw(some.sampled_from(VALUES))
    coding = {"system": draw(some.sampled_from(("urn:cs", "http://loinc.org", ""))), "code": text}
    forms: list[dict[str, Any]] = [
        {"valueString": text},
        {"valueUri": draw(some.sampled_from(("urn:vs", "urn:cs", text)))},
        {"valueCode": "a"},
        {"valueInteger": draw(some.sampled_from((0, 1, -1, 2**31 - 1, 10**30)))},
        {"valueBoolean": draw(some.booleans())},
        {"valueCoding": coding},
        {"valueMeta": {"tag": [coding], "profile": [text]}},
        {"resource": resource},
        {"part": [{"name": "a", "valueString": text}]},
        {},
    ]
    return {"name": name, **draw(some.sampled_from(forms))}


def calls(spoilt: some.SearchStrategy[dict[str, Any]]) -> some.SearchStrategy[Hostile]:
    """Give calls of operations with resources of a kind."""

    @some.composite
    def call(draw: some.DrawFn) -> Hostile:
        address, names = draw(some.sampled_from(CALLS))
        headers = draw(hostile_headers())
        if draw(some.integers(0, 3)) == 0:
            pairs = [
                (draw(some.sampled_from(names)), draw(some.sampled_from(VALUES))) for _ in range(2)
            ]
            query = urlencode(pairs, errors="replace")
            return Hostile("GET", f"{address}?{query}", headers)
        resource = draw(some.one_of(spoilt, some.sampled_from(SEEDS)))
        chosen = some.lists(some.sampled_from(names), max_size=3)
        given = [draw(_input(name, resource)) for name in draw(chosen)]
        if names[0] in ("valueSet", "resource") and draw(some.booleans()):
            given.append({"name": names[0], "resource": resource})
        body: Any = {"resourceType": "Parameters", "parameter": given}
        if draw(some.integers(0, 4)) == 0:
            body = resource
        text = json.dumps(body, default=float).encode()
        return Hostile("POST", address, headers | {"Content-Type": JSON}, text)

    return call()
