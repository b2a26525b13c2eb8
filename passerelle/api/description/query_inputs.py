"""The parameters of queries in the description: searches, histories, parts, operations.

https://hl7.org/fhir/R4/search.html , https://spec.openapis.org/oas/v3.1.0#parameter-object . A
name with a modifier or a chain is a name of its own, which OpenAPI cannot tell: those that a
parameter takes are told in its text.
"""

from collections.abc import Mapping
from typing import TypeAlias

from passerelle.api.description.components import Described
from passerelle.fhir.operation_inputs import BODY_ONLY, Input
from passerelle.fhir.search.language.modifiers import allowed
from passerelle.fhir.search.query_results import COUNT_MAX
from passerelle.fhir.search.search_parameters import Parameter

Known: TypeAlias = Mapping[str, Parameter]
"""Search parameters by code."""

KINDS: dict[str, tuple[str, str]] = {
    "token": ("système|code", "http://loinc.org|1234-5"),
    "string": ("début d'un texte, sans accents ni majuscules", "durand"),
    "reference": ("Type/id, id ou adresse", "Patient/1"),
    "date": ("[préfixe]date, aussi précise qu'on veut", "ge2026-01"),
    "number": ("[préfixe]nombre", "gt5"),
    "quantity": ("[préfixe]nombre|système|unité", "5.4|http://unitsofmeasure.org|mg"),
    "uri": ("adresse entière", "urn:oid:1.2.3"),
    "composite": ("valeurs jointes par $", "a$b"),
    "special": ("latitude|longitude|distance|unité", "48.8|2.3|10|km"),
}
"""What a value is, by kind of parameter, with an example."""

RESULTS: tuple[tuple[str, Described, str], ...] = (
    ("_count", {"type": "integer", "minimum": 0}, f"Taille d'une page, {COUNT_MAX} au plus"),
    ("_sort", {"type": "string"}, "Paramètres de tri, le signe - pour décroissant"),
    ("_total", {"enum": ["none", "estimate", "accurate"]}, "Donner le nombre total"),
    ("_include", {"type": "array", "items": {"type": "string"}}, "Type:paramètre[:cible]"),
    ("_revinclude", {"type": "array", "items": {"type": "string"}}, "Type:paramètre[:cible]"),
    ("_filter", {"type": "string"}, "Une expression : name co 'dur' and active eq true"),
    ("_list", {"type": "string"}, "Ce qu'une List énumère : son id"),
    ("_cursor", {"type": "string"}, "La suite d'une page ; pris dans son lien next"),
)
PARTS: tuple[tuple[str, Described, str], ...] = (
    ("_summary", {"enum": ["true", "text", "data", "count", "false"]}, "La partie voulue"),
    ("_elements", {"type": "string"}, "Éléments voulus, séparés par des virgules"),
)
FORMS: tuple[tuple[str, Described, str], ...] = (
    ("_format", {"enum": ["json", "xml"]}, "Forme de la réponse, avant Accept"),
    ("_pretty", {"type": "boolean"}, "Mise en page pour être lue"),
)
HISTORY: tuple[tuple[str, Described, str], ...] = (
    ("_since", {"type": "string"}, "Versions faites depuis cet instant"),
    ("_at", {"type": "string"}, "Versions qui valaient alors"),
    ("_count", {"type": "integer", "minimum": 0}, f"Taille d'une page, {COUNT_MAX} au plus"),
    ("_sort", {"enum": ["_lastUpdated", "-_lastUpdated"]}, "Ordre"),
    ("_cursor", {"type": "string"}, "La suite d'une page ; pris dans son lien next"),
)
FREE: Described = {
    "name": "search criteria",
    "in": "query",
    "style": "form",
    "explode": True,
    "description": "Tout autre paramètre de recherche, nom=valeur : ceux du type "
    "(/openapi.json?type=… les énumère), avec leurs modificateurs (name:exact), les chaînes "
    "(subject.name), _has (_has:Observation:subject:code)",
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}
"""Parameters whose names no table can hold."""

_TYPES = {"boolean": "boolean", "integer": "integer", "decimal": "number"}


def query_input(name: str, schema: Described, description: str) -> Described:
    """Give one parameter of a query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def of_table(*tables: tuple[tuple[str, Described, str], ...]) -> list[Described]:
    """Give the parameters of tables."""
    return [query_input(*line) for table in tables for line in table]


def search_inputs(known: Known) -> list[Described]:
    """Give the parameters of a search that knows those search parameters."""
    found = [_search_input(each) for _, each in sorted(known.items())]
    return [*found, FREE, *of_table(RESULTS, PARTS, FORMS)]


def criteria_inputs(known: Known) -> list[Described]:
    """Give the parameters that designate what a conditional interaction is about."""
    found = [_search_input(each) for _, each in sorted(known.items())]
    return [*found, FREE, *of_table(FORMS)]


def operation_inputs(inputs: tuple[Input, ...] | None) -> list[Described]:
    """Give the inputs of an operation that an address can hold."""
    found = []
    for each in inputs or ():
        if not BODY_ONLY.match(each.kind):
            one: Described = {"type": _TYPES.get(each.kind, "string")}
            schema = one if each.max == 1 else {"type": "array", "items": one}
            found.append(query_input(each.name, schema, each.kind))
    return [*found, *of_table(FORMS)]


def _search_input(parameter: Parameter) -> Described:
    """Describe a search parameter: what its values are, which modifiers it takes."""
    told, example = KINDS[parameter.kind]
    text = f"{parameter.kind} : {told}"
    modifiers = sorted(allowed(parameter) - {""})
    if modifiers:
        text += ". Modificateurs : " + ", ".join(f":{each}" for each in modifiers)
    if parameter.kind == "reference":
        text += ". Vers : " + ", ".join(parameter.targets)
    schema = {"type": "array", "items": {"type": "string", "examples": [example]}}
    return query_input(parameter.code, schema, text)
