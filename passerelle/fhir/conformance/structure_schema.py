"""The quick reader: JSON Schemas that say yes to a right resource, at the speed of compiled code.

https://hl7.org/fhir/R4/json.html#schema , https://json-schema.org/draft-04 . What such a schema
accepts is right; what it does not accept may still be right (a rare way of writing), and is then
decided by the precise reader, ``structure_walk``. Draft 4 because there ``1.0`` is no integer.
"""

from functools import cache, lru_cache
from typing import Any

import jsonschema_rs

from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.datatype_laws import laws_of
from passerelle.fhir.conformance.narrative import is_right
from passerelle.fhir.conformance.primitives import in_order, quick_schema
from passerelle.fhir.conformance.structure_table import Element, Kind

Schema = dict[str, Any]

# The types of an extension's value that are met: the others, some forty data types deep, are left
# to the precise reader, which keeps a validator small and quick to build.
_MET = """boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt
    string time unsignedInt uri url uuid Address CodeableConcept Coding ContactPoint HumanName
    Identifier Period Quantity Reference"""
_COMMON = frozenset(_MET.split())
_ID = "[A-Za-z0-9.\\-]{1,64}"
_ABSOLUTE = "^[A-Za-z][A-Za-z0-9+.\\-]*:"


class InOrder:
    """The keyword ``inOrder``: the first of two dates is not after the second."""

    def __init__(self, parent: Schema, value: list[str], path: list[str | int]) -> None:
        self._first, self._last = value

    def validate(self, instance: object) -> None:
        """Raise ValueError when they stand the wrong way round."""
        if isinstance(instance, dict) and not in_order(
            instance.get(self._first), instance.get(self._last)
        ):
            raise ValueError


def accepts(resource: dict[str, Any], type_name: str) -> bool:
    """Tell whether a resource is surely right, but for the resources in it and its own laws.

    One with contained resources or ``#`` references is not. False does not mean that it is wrong.
    """
    try:
        return bool(_validator(type_name).is_valid(resource))
    except (ValueError, RecursionError):
        return False


@lru_cache(maxsize=64)
def _validator(type_name: str) -> jsonschema_rs.Draft4Validator:
    """Build the validator of a type."""
    return jsonschema_rs.Draft4Validator(
        schema_of(type_name),
        formats={"xhtml": is_right},
        validate_formats=True,
        ignore_unknown_formats=False,
        pattern_options=jsonschema_rs.RegexOptions(),
        keywords={"inOrder": InOrder},
    )


def schema_of(type_name: str) -> Schema:
    """Give the quick schema of a resource type with all that it refers to."""
    definitions: dict[str, Schema] = {}
    _define(Kind(type_name), definitions)
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "definitions": definitions,
        "allOf": [_ref(Kind(type_name))],
    }


def _define(kind: Kind, definitions: dict[str, Schema]) -> None:
    """Add the definition of a type and of the types in it."""
    if _label(kind) in definitions:
        return
    if kind.name in structure_table.patterns():
        definitions[_label(kind)] = quick_schema(kind.name)
        return
    if kind.name == "Resource":
        definitions[_label(kind)] = {"type": "object"}
        return
    definitions[_label(kind)] = {}
    needed: list[Kind] = []
    definitions[_label(kind)] = _object(kind, needed)
    for inner in needed:
        _define(inner, definitions)


def _object(kind: Kind, needed: list[Kind]) -> Schema:
    """Give the schema of a type with elements, noting the types it needs."""
    resource = kind.name in structure_table.resource_types()
    properties: dict[str, Schema] = {}
    conditions: list[Schema] = [law.quick for law in laws_of(structure_table.lineage(kind.name))]
    for element in structure_table.elements(kind.name):
        if element.name == "contained":
            continue
        if element.name == "id" and kind.name == "Extension":  # so that two members tell ext-1
            continue
        kinds = _kinds(kind.name, element)
        for name, one in kinds.items():
            properties[name] = _value(kind.name, element, one)
            needed.append(one)
            if _has_sibling(element, one):
                properties["_" + name] = _ref(Kind("Element"))
                needed.append(Kind("Element"))
        if element.choice and kind.name != "Extension":
            conditions.append(_one_of(tuple(kinds), element.required))
    if kind.name == "Reference":
        pattern = _target_pattern(kind.targets)
        conditions.append({"properties": {"reference": {"pattern": pattern}}})
        conditions.append({"not": {"required": ["type"]}})
    required = [e.name for e in structure_table.elements(kind.name) if e.required and not e.choice]
    if resource:
        properties["resourceType"] = {"enum": [kind.name]}
        required.append("resourceType")
    if kind.name == "Extension":
        conditions.append({"minProperties": 2, "maxProperties": 2})
    elif not resource:
        conditions.append({"dependencies": {"id": {"minProperties": 2}}})
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": properties,
    }
    if required:
        schema["required"] = required
    if conditions:
        schema["allOf"] = conditions
    return schema


def _kinds(owner: str, element: Element) -> dict[str, Kind]:
    """Give the types of an element that the quick reader knows, by their JSON names."""
    kinds = dict(zip(element.json_names(), element.kinds, strict=True))
    if len(kinds) > 20:
        return {name: kind for name, kind in kinds.items() if kind.name in _COMMON}
    return kinds


def _has_sibling(element: Element, kind: Kind) -> bool:
    """Tell whether the quick reader knows the ``_`` sibling of a value."""
    primitive = kind.name in structure_table.patterns() and kind.name != "xhtml"
    return primitive and not (kind.attribute or element.many or element.choice)


def _value(owner: str, element: Element, kind: Kind) -> Schema:
    """Give the schema of an element's value, an array when it may repeat."""
    one = _ref(kind)
    if kind.name == "Extension" and owner != "Extension":
        one = {"allOf": [one, {"properties": {"url": {"pattern": _ABSOLUTE}}}]}
    if element.value_set and (kind.name == "code" or kind.name in structure_table.CODED):
        one = _coded(kind, element.value_set)
    return {"type": "array", "minItems": 1, "items": one} if element.many else one


def _coded(kind: Kind, value_set: str) -> Schema:
    """Give the schema of a code of a value set, be it inside a Coding or a CodeableConcept."""
    codes = {"enum": sorted(structure_table.codes(value_set))}
    if kind.name == "code":
        return codes
    system = {"enum": sorted(structure_table.systems(value_set))}
    coding = {"required": ["code", "system"], "properties": {"code": codes, "system": system}}
    if kind.name == "Coding":
        return {"allOf": [_ref(kind), coding]}
    none_of_them = {"properties": {"coding": {"items": {"not": coding}}}}
    return {"allOf": [_ref(kind), {"required": ["coding"], "not": none_of_them}]}


@cache
def _one_of(names: tuple[str, ...], required: bool) -> Schema:
    """Ask for exactly one type of a choice, or for one at most."""
    each = [{"required": [name]} for name in names]
    return {"oneOf": each if required else [*each, {"not": {"anyOf": each}}]}


def _target_pattern(targets: tuple[str, ...]) -> str:
    """Give what the text of a reference may be: to an allowed type, or a URN."""
    allowed = "|".join(targets) if targets else "|".join(sorted(structure_table.resource_types()))
    forms = [f"(?:{allowed})(?:/[A-Za-z0-9/_.\\-]+|\\?[^\\t-\\r ]+)"]
    forms.append(f"https?://[^\\t-\\r ]*/(?:{allowed})/{_ID}(?:/_history/{_ID})?")
    forms.append("urn:[^\\t-\\r ]+")
    return f"^(?:{'|'.join(forms)})$"


def _label(kind: Kind) -> str:
    """Name a definition."""
    return f"{kind.name}-{'-'.join(kind.targets)}" if kind.targets else kind.name


def _ref(kind: Kind) -> Schema:
    """Refer to a definition."""
    return {"$ref": f"#/definitions/{_label(kind)}"}
