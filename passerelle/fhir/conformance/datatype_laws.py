"""The error invariants of data types, as a predicate and as a quick schema side by side.

https://hl7.org/fhir/R4/datatypes.html , https://hl7.org/fhir/R4/extensibility.html#extension . The
predicate decides; the schema (JSON Schema draft 4) accepts only what the predicate accepts, though
not all of it.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from passerelle.fhir.conformance.primitives import in_order

Node = dict[str, Any]
NEVER: Node = {"not": {}}
UCUM = "http://unitsofmeasure.org"


class Law(NamedTuple):
    """An invariant of a data type: its key in the standard, what holds, and the quick schema."""

    type: str
    key: str
    holds: Callable[[Node], bool]
    quick: Node


def has(node: Node, name: str) -> bool:
    """Tell whether an element is there, be it by its ``_`` sibling only."""
    return name in node or "_" + name in node


def _implies(type_name: str, key: str, first: str, second: str) -> Law:
    """Where the first is, the second is too."""
    return Law(
        type_name,
        key,
        lambda node: not has(node, first) or has(node, second),
        {"dependencies": {first: [second], "_" + first: [second]}},
    )


def _not_negative(key: str, name: str) -> Law:
    """A number that is not below zero."""

    def holds(node: Node) -> bool:
        value = number(node, name)
        return value is None or value >= 0

    return Law("Timing.repeat", key, holds, {"properties": {name: {"minimum": 0}}})


def number(node: Node, name: str) -> Decimal | None:
    """Give a number of a node, None when it is not one."""
    value = node.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def _range_in_order(node: Node) -> bool:
    low, high = node.get("low"), node.get("high")
    if not isinstance(low, dict) or not isinstance(high, dict):
        return True
    least, most = number(low, "value"), number(high, "value")
    return least is None or most is None or least <= most


def _ratio_whole(node: Node) -> bool:
    if has(node, "numerator") != has(node, "denominator"):
        return False
    return has(node, "numerator") or "extension" in node


def _offset_of_when(node: Node) -> bool:
    when = node.get("when", ())
    meals = {"C", "CM", "CD", "CV"}
    known = isinstance(when, list) and all(isinstance(code, str) for code in when)
    return not has(node, "offset") or (bool(when) and known and not meals & set(when))


def _unit(node: Node) -> bool:
    return not has(node, "system") or node.get("system") == UCUM


def _age(node: Node) -> bool:
    value = number(node, "value")
    coded = has(node, "code") or not has(node, "value")
    return coded and _unit(node) and (value is None or value > 0)


def _count(node: Node) -> bool:
    value = number(node, "value")
    coded = has(node, "code") or not has(node, "value")
    one = not has(node, "code") or node.get("code") == "1"
    return coded and _unit(node) and one and (value is None or value == value.to_integral_value())


def _duration(node: Node) -> bool:
    return not has(node, "code") or (node.get("system") == UCUM and has(node, "value"))


def _distance(node: Node) -> bool:
    return (has(node, "code") or not has(node, "value")) and _unit(node)


def _filtered(node: Node) -> bool:
    return has(node, "path") != has(node, "searchParam")


def _triggered(node: Node) -> bool:
    kind = node.get("type")
    if kind == "named-event":
        return has(node, "name")
    if kind == "periodic":
        return any(name.lstrip("_").startswith("timing") for name in node)
    return not (isinstance(kind, str) and kind.startswith("data-")) or "data" in node


def _timed_or_data(node: Node) -> bool:
    timed = any(name.lstrip("_").startswith("timing") for name in node)
    return not (timed and "data" in node)


_DURATION_QUICK: Node = {
    "dependencies": {"code": ["value", "system"], "_code": NEVER},
    "properties": {"system": {"enum": [UCUM]}},
}
_CODED_QUICK: Node = {
    "required": ["value", "code", "system"],
    "properties": {"system": {"enum": [UCUM]}},
}
_AGE_QUICK: Node = {
    **_CODED_QUICK,
    "properties": {"system": {"enum": [UCUM]}, "value": {"minimum": 0, "exclusiveMinimum": True}},
}

LAWS: tuple[Law, ...] = (
    Law(
        "Period",
        "per-1",
        lambda node: in_order(node.get("start"), node.get("end")),
        {"inOrder": ["start", "end"]},
    ),
    _implies("ContactPoint", "cpt-2", "value", "system"),
    _implies("Quantity", "qty-3", "code", "system"),
    _implies("Attachment", "att-1", "data", "contentType"),
    Law("Range", "rng-2", _range_in_order, {"not": {"required": ["low", "high"]}}),
    Law("Ratio", "rat-1", _ratio_whole, {"required": ["numerator", "denominator"]}),
    Law("Age", "age-1", _age, _AGE_QUICK),
    Law("Count", "cnt-3", _count, NEVER),
    Law("Duration", "drt-1", _duration, _DURATION_QUICK),
    Law("Distance", "dis-1", _distance, _CODED_QUICK),
    _implies("Timing.repeat", "tim-1", "duration", "durationUnit"),
    _implies("Timing.repeat", "tim-2", "period", "periodUnit"),
    _not_negative("tim-4", "duration"),
    _not_negative("tim-5", "period"),
    _implies("Timing.repeat", "tim-6", "periodMax", "period"),
    _implies("Timing.repeat", "tim-7", "durationMax", "duration"),
    _implies("Timing.repeat", "tim-8", "countMax", "count"),
    Law(
        "Timing.repeat",
        "tim-9",
        _offset_of_when,
        {"not": {"anyOf": [{"required": ["offset"]}, {"required": ["_offset"]}]}},
    ),
    Law(
        "Timing.repeat",
        "tim-10",
        lambda node: not (has(node, "timeOfDay") and has(node, "when")),
        {"not": {"required": ["timeOfDay", "when"]}},
    ),
    Law(
        "Expression",
        "exp-1",
        lambda node: has(node, "expression") or has(node, "reference"),
        {"anyOf": [{"required": ["expression"]}, {"required": ["reference"]}]},
    ),
    Law("DataRequirement.codeFilter", "drq-1", _filtered, NEVER),
    Law("DataRequirement.dateFilter", "drq-2", _filtered, NEVER),
    Law("TriggerDefinition", "trd-1", _timed_or_data, NEVER),
    Law(
        "TriggerDefinition",
        "trd-2",
        lambda node: "condition" not in node or "data" in node,
        NEVER,
    ),
    Law("TriggerDefinition", "trd-3", _triggered, NEVER),
)


def laws_of(lineage: tuple[str, ...]) -> tuple[Law, ...]:
    """Give the invariants of a type and of what it is based on."""
    return tuple(law for law in LAWS if law.type in lineage)
