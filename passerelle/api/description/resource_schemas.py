"""The schemas of resources in the description: one type in full, or those of any answer.

https://spec.openapis.org/oas/v3.1.0#schema-object , https://hl7.org/fhir/R4/json.html . They tell
clients what stands where; what is right is decided by the checks of the gateway, which tell more.
"""

from typing import Any, TypeAlias

from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.structure_table import Element, Kind

Schema: TypeAlias = dict[str, Any]

PLACE = "#/components/schemas/"
NUMBERS = {"boolean": "boolean", "decimal": "number"}
INTEGERS = frozenset({"integer", "positiveInt", "unsignedInt"})
OPEN: dict[str, Schema] = {
    "Extension": {
        "type": "object",
        "required": ["url"],
        "properties": {"url": {"type": "string"}},
        "description": "Une extension : son adresse, et sa valeur (value[x]) ou des extensions",
    },
    "Resource": {
        "type": "object",
        "required": ["resourceType"],
        "properties": {
            "resourceType": {"type": "string"},
            "id": {"type": "string"},
            "meta": {"type": "object"},
        },
        "description": "Une ressource FHIR R4 ; son type décide de ce qu'elle contient",
    },
}
"""Types that are described as open: in full they would hold every data type there is."""


def resource_schemas(type_: str) -> dict[str, Schema]:
    """Give the schema of a resource type by its name, with those of the types it is made of."""
    found: dict[str, Schema] = dict(OPEN)
    waiting = [Kind(type_)]
    while waiting:
        kind = waiting.pop()
        if kind.name in found or kind.name in structure_table.patterns():
            continue
        found[kind.name] = _object(kind.name, waiting)
    return found


def outcome_schemas() -> dict[str, Schema]:
    """Give the schemas of what any address may answer: outcomes, bundles, parameters."""
    return OPEN | {
        "OperationOutcome": _resource(
            "OperationOutcome",
            issue={
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["severity", "code"],
                    "properties": {
                        "severity": {"enum": ["fatal", "error", "warning", "information"]},
                        "code": {"type": "string"},
                        "details": {"type": "object"},
                        "diagnostics": {"type": "string"},
                        "expression": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        ),
        "Bundle": _resource(
            "Bundle",
            type={"type": "string"},
            total={"type": "integer", "minimum": 0},
            link={"type": "array", "items": {"type": "object", "required": ["relation", "url"]}},
            entry={"type": "array", "items": {"type": "object"}},
        ),
        "Parameters": _resource(
            "Parameters",
            parameter={"type": "array", "items": {"type": "object", "required": ["name"]}},
        ),
    }


_OPTIONAL = frozenset({"total", "link", "entry", "parameter"})


def _resource(type_: str, **properties: Schema) -> Schema:
    """Give the schema of a resource that only some elements are told of."""
    needed = ["resourceType", *(name for name in properties if name not in _OPTIONAL)]
    named = {"resourceType": {"const": type_}, **properties}
    return {"type": "object", "required": needed, "properties": named}


def _object(name: str, waiting: list[Kind]) -> Schema:
    """Give the schema of a type with elements, noting the types it needs."""
    properties: dict[str, Schema] = {}
    required = []
    if name in structure_table.resource_types():
        properties["resourceType"] = {"const": name}
        required.append("resourceType")
    for element in structure_table.elements(name):
        if element.required and not element.choice and not _is_text(element):
            required.append(element.name)
        for json_name, kind in zip(element.json_names(), element.kinds, strict=True):
            properties[json_name] = _value(element, kind)
            waiting.append(kind)
    schema: Schema = {"type": "object", "properties": properties}
    return schema | {"required": required} if required else schema


def _is_text(element: Element) -> bool:
    """Tell whether only extensions may stand in its place (``_name``): it need not be there."""
    return any(kind.name in structure_table.patterns() for kind in element.kinds)


def _value(element: Element, kind: Kind) -> Schema:
    one = _one(kind.name)
    if not element.many:
        return one
    if kind.name in structure_table.patterns():  # extensions beside it leave a null
        one = one | {"type": [one["type"], "null"]}
    return {"type": "array", "items": one}


def _one(name: str) -> Schema:
    if name not in structure_table.patterns():
        return {"$ref": PLACE + name}
    return {"type": "integer" if name in INTEGERS else NUMBERS.get(name, "string")}
