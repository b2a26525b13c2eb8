"""Invariants of R4 that go through a whole resource, and when they surely hold.

https://hl7.org/fhir/R4/questionnaire.html#invs ,
https://hl7.org/fhir/R4/structuredefinition.html#invs . Each says yes where that is plain to see in
the JSON; where it does not, the expression of R4 decides.
"""

from collections.abc import Callable
from typing import Any

Node = dict[str, Any]


def _links_are_distinct(form: Node) -> bool:
    """que-2: no two items of one linkId."""
    if "contained" in form:  # the expression looks into it as well
        return False
    seen: set[str] = set()
    waiting = [form.get("item", [])]
    while waiting:
        items = waiting.pop()
        if type(items) is not list:
            return False
        for item in items:
            link = item.get("linkId") if type(item) is dict else None
            if type(link) is not str or "_linkId" in item or link in seen:
                return False
            seen.add(link)
            if "item" in item:
                waiting.append(item["item"])
    return True


def _only_below_are_slices(definition: Node) -> bool:
    """sdf-23: no slice name at the root."""
    for name in ("snapshot", "differential"):
        held = definition.get(name, {})
        elements = held.get("element", []) if type(held) is dict else None
        if type(elements) is not list:
            return False
        for element in elements:
            path = element.get("path") if type(element) is dict else None
            if type(path) is not str:
                return False
            if "." not in path and ("sliceName" in element or "_sliceName" in element):
                return False
    return True


QUICK: dict[tuple[str, str], Callable[[Node], bool]] = {
    ("Questionnaire", "que-2"): _links_are_distinct,
    ("StructureDefinition", "sdf-23"): _only_below_are_slices,
}
"""By path and key; each is asked of the JSON of the element."""
