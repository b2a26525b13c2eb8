"""R4's own definitions, written from the tables that the gateway works with.

https://hl7.org/fhir/R4/structuredefinition.html , https://hl7.org/fhir/R4/searchparameter.html .
The whole text of R4 (some 40 MB) is not packaged: what is here is what the tables hold,
under the addresses and ids of R4, and each says by the tag SUBSETTED that it is not the whole. The
whole comes with the package ``hl7.fhir.r4.core``.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.structure_table import Element, Kind
from passerelle.fhir.resource import Resource
from passerelle.fhir.search import search_parameters
from passerelle.fhir.search.search_parameters import CORE_URL, Parameter
from passerelle.fhir.urls import PASSERELLE

VERSION = "4.0.1"
SD_URL = "http://hl7.org/fhir/StructureDefinition/"
VALUE_SET_URL = "http://hl7.org/fhir/ValueSet/"

SUBSETTED = {
    "tag": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
            "code": "SUBSETTED",
        }
    ]
}
TOLD = "Extrait que la passerelle tient de R4 ; le texte entier vient avec hl7.fhir.r4.core#4.0.1."

ABSTRACT = frozenset({"Resource", "DomainResource", "Element", "BackboneElement"})
PRIMITIVE_BASES = {
    **dict.fromkeys(("code", "id", "markdown"), "string"),
    **dict.fromkeys(("canonical", "oid", "url", "uuid"), "uri"),
    **dict.fromkeys(("positiveInt", "unsignedInt"), "integer"),
}
"""Primitive types that are not directly elements
(https://hl7.org/fhir/R4/datatypes.html#primitive)."""


@cache
def held(type_: str) -> Mapping[str, Resource]:
    """Give the definitions of a type of resource that can be written, by id."""
    makers = {"SearchParameter": _search_parameters, "StructureDefinition": _structures}
    maker = makers.get(type_)
    return {} if maker is None else {each["id"]: each for each in maker()}


def _search_parameters() -> Iterator[Resource]:
    """Write the parameters of R4, and ours; one of several types is one definition."""
    by_url: dict[str, list[Parameter]] = {}
    for each in search_parameters.all_parameters():
        if each.url.startswith((CORE_URL, PASSERELLE)):
            by_url.setdefault(each.url, []).append(each)
    for url, found in by_url.items():
        first = found[0]
        targets = sorted({target for each in found for target in each.targets})
        expressions = dict.fromkeys(each.expression for each in found if each.expression)
        components = [
            {
                "definition": search_parameters.by_id(part.param).url,
                "expression": part.expression,
            }
            for part in first.components
        ]
        yield {
            "resourceType": "SearchParameter",
            "id": url.rpartition("/")[2],
            "meta": SUBSETTED,
            "url": url,
            **({"version": VERSION} if url.startswith(CORE_URL) else {}),
            "name": first.code,
            "status": "active",
            "description": TOLD,
            "code": first.code,
            "base": sorted({each.type for each in found}),
            "type": first.kind,
            **({"expression": " | ".join(expressions)} if expressions else {}),
            **({"target": targets} if targets else {}),
            **({"component": components} if components else {}),
        }


def _structures() -> Iterator[Resource]:
    """Write the resource types, the data types and the primitive types."""
    for name in sorted(structure_table.type_names()):
        if "." not in name and name not in (*structure_table.patterns(), "SimpleQuantity"):
            yield _structure(name)
    for name in sorted(structure_table.patterns()):
        base = PRIMITIVE_BASES.get(name, "Element")
        yield _definition(name, "primitive-type", base, [{"id": name, "path": name}])


def _structure(name: str) -> Resource:
    lineage = structure_table.lineage(name)
    is_resource = "Resource" in lineage
    elements: list[Resource] = [{"id": name, "path": name, "min": 0, "max": "*"}]
    elements += _elements(name, name)
    _constrain(elements)
    base = lineage[1] if len(lineage) > 1 else None
    return _definition(name, "resource" if is_resource else "complex-type", base, elements)


def _definition(name: str, kind: str, base: str | None, elements: list[Resource]) -> Resource:
    derived: dict[str, Any] = {}
    if base is not None:
        derived = {"baseDefinition": SD_URL + base, "derivation": "specialization"}
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        "meta": SUBSETTED,
        "url": SD_URL + name,
        "version": VERSION,
        "name": name,
        "status": "active",
        "description": TOLD,
        "fhirVersion": VERSION,
        "kind": kind,
        "abstract": name in ABSTRACT,
        "type": name,
        **derived,
        "differential": {"element": elements},
    }


def _elements(type_: str, path: str) -> Iterator[Resource]:
    """Write the elements that a type has beside those of its base, and what they hold."""
    inherited = {
        element.name
        for base in structure_table.lineage(type_)[1:2]
        for element in structure_table.elements(base)
    }
    for element in structure_table.elements(type_):
        if element.name in inherited:
            continue
        place = f"{path}.{element.name}{'[x]' if element.choice else ''}"
        yield _element(element, place)
        for kind in element.kinds:
            if kind.name == f"{type_}.{element.name}":
                yield from _elements(kind.name, place)


def _element(element: Element, place: str) -> Resource:
    made: Resource = {
        "id": place,
        "path": place,
        "min": 1 if element.required else 0,
        "max": "*" if element.many else "1",
    }
    backbone = [kind.name for kind in element.kinds if "." in kind.name]
    if backbone and backbone[0] != place:
        made["contentReference"] = f"#{backbone[0]}"
    else:
        made["type"] = [_type(kind) for kind in element.kinds]
    if element.modifier:
        made |= {"isModifier": True, "isModifierReason": TOLD}
    if element.summary:
        made["isSummary"] = True
    if element.value_set is not None:
        canonical = f"{VALUE_SET_URL}{element.value_set}|{VERSION}"
        made["binding"] = {"strength": "required", "valueSet": canonical}
    return made


def _type(kind: Kind) -> Resource:
    if "." in kind.name:
        base = structure_table.lineage(kind.name)
        return {"code": base[1] if len(base) > 1 else "BackboneElement"}
    if kind.name == "SimpleQuantity":
        return {"code": "Quantity", "profile": [SD_URL + "SimpleQuantity"]}
    targets = kind.targets or (("Resource",) if kind.name == "Reference" else ())
    if not targets:
        return {"code": kind.name}
    return {"code": kind.name, "targetProfile": [SD_URL + target for target in targets]}


def _constrain(elements: list[Resource]) -> None:
    """Add the invariants that are errors to the elements they are of."""
    for element in elements:
        found = structure_table.invariants().get(element["path"], {})
        if found:
            element["constraint"] = [
                {"key": key, "severity": "error", "human": key, "expression": expression}
                for key, expression in found.items()
            ]
