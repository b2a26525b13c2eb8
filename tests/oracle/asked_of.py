"""Searches spelled from what a resource says, one of each parameter that leads to a value in it."""

from typing import Any

from passerelle.fhir.search.search_parameters import Parameter
from tests.oracle.escapes import escaped
from tests.oracle.intervals import span
from tests.oracle.nodes import Nodes
from tests.oracle.said import codes, folded, literal_of, strings

Resource = dict[str, Any]
TEXT_MAX = 80


def token(node: Any) -> str | None:
    for found in codes(node, None):
        code = escaped(found.code)
        return f"{escaped(found.system)}|{code}" if found.system else code
    return None


def string(node: Any) -> str | None:
    texts = [text for text in strings(node) if folded(text[:TEXT_MAX])]
    return escaped(" ".join(texts[0][:TEXT_MAX].split())) if texts else None


def reference(node: Any) -> str | None:
    literal = literal_of(node)
    if literal is None or literal.startswith("#") or ("/" not in literal and ":" not in literal):
        return None
    return escaped(literal)


def date(node: Any) -> str | None:
    if span(node) is None:
        return None
    if isinstance(node, str):
        return node
    repeat = node.get("repeat", {}).get("boundsPeriod", {})
    return "ap" + str((node.get("event") or [None])[0] or {**node, **repeat}.get("start")
                      or {**node, **repeat}.get("end"))  # fmt: skip


def number(node: Any) -> str | None:
    if isinstance(node, dict):
        return None
    return str(node)


def quantity(node: Any) -> str | None:
    if not isinstance(node, dict) or "origin" in node:
        return None
    held = node.get("low") or node.get("high") or node
    if "value" not in held or "e" in str(held["value"]).lower():
        return None
    prefix = "le" if "low" in node else "ge" if "high" in node else ""
    if held.get("system") and held.get("code"):
        unit = f"{escaped(held['system'])}|{escaped(held['code'])}"
        return f"{prefix}{held['value']}|{unit}"
    return f"{prefix}{held['value']}"


def uri(node: Any) -> str | None:
    return escaped(node) if isinstance(node, str) else None


def special(node: Any) -> str | None:
    return f"{node['latitude']}|{node['longitude']}|1|km" if "latitude" in node else None


SPELLED = {
    **{"token": token, "string": string, "reference": reference, "date": date},
    **{"number": number, "quantity": quantity, "uri": uri, "special": special},
}


def first(kind: str, nodes: list[Any]) -> str | None:
    return next((text for node in nodes if (text := SPELLED[kind](node))), None)


def asked(known: Nodes, parameter: Parameter, resource: Resource) -> str | None:
    """Spell a search for a value that a resource has of a parameter."""
    kind: str = parameter.kind
    if kind != "composite":
        return first(kind, known.of(parameter, resource))
    for element in known.components(parameter, resource):
        parts = [
            first(component.kind, nodes)
            for component, nodes in zip(parameter.components, element, strict=True)
        ]
        if all(parts):
            return "$".join(str(part) for part in parts)
    return None
