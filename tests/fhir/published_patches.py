"""The published cases of patches, read from their XML into the JSON of FHIR."""

from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from passerelle.fhir.conformance.structure_table import Element, elements, patterns, resource_types

FOLDER = Path("data") / "fhir-test-cases"
XHTML = "{http://www.w3.org/1999/xhtml}"


class Case(NamedTuple):
    name: str
    given: dict[str, Any]
    patch: dict[str, Any]
    expected: dict[str, Any] | None


def fhirpath_cases(shared: Path) -> list[Case]:
    root = etree.parse(shared / FOLDER / "fhir-patch-tests.xml").getroot()
    return [
        Case(
            case.get("name"),
            resource(case.find("input")[0]),
            resource(case.find("diff")[0]),
            None if case.find("output") is None else resource(case.find("output")[0]),
        )
        for case in root
        if isinstance(case.tag, str)
    ]


def resource(node: Any) -> dict[str, Any]:
    """Give a resource of the published cases; they hold no decimals and few extensions."""
    name = etree.QName(node).localname
    return {"resourceType": name} | inside(node, name)


def inside(node: Any, kind: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for child in node:
        if not isinstance(child.tag, str):
            continue
        name = etree.QName(child).localname
        element, type_ = found(kind, name)
        value = etree.tostring(child, with_tail=False).decode() if name == "div" else None
        if value is None:
            value = plain(child, type_)
        if element.many:
            made.setdefault(name, []).append(value)
        else:
            made[name] = value
    return made | {name: node.get(name) for name in ("url", "id") if node.get(name)}


def found(kind: str, name: str) -> tuple[Element, str]:
    for element in elements(kind):
        for json_name, each in zip(element.json_names(), element.kinds, strict=True):
            if json_name == name:
                return element, each.name
    raise AssertionError(f"{kind} has no {name}")


def plain(node: Any, type_: str) -> Any:
    if type_ == "Resource":
        return resource(node[0])
    assert type_ not in resource_types()
    if type_ not in patterns():
        return inside(node, type_)
    text = node.get("value")
    if type_ == "boolean":
        return text == "true"
    return int(text) if type_ in ("integer", "positiveInt", "unsignedInt") else text
