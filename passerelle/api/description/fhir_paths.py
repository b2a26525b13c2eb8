"""The paths of the FHIR base in the description, read off the tables that route and answer.

https://spec.openapis.org/oas/v3.1.0#paths-object , https://hl7.org/fhir/R4/http.html#summary .
"""

from collections.abc import Iterator
from typing import Any

from passerelle.api.description.components import (
    Described,
    answer,
    content,
    header_inputs,
    ref,
    refusals,
)
from passerelle.api.description.interaction_table import (
    INTERACTIONS,
    OWN,
    OWN_OR_OUTCOME,
    Answered,
    Told,
)
from passerelle.api.description.query_inputs import (
    FORMS,
    HISTORY,
    PARTS,
    Known,
    criteria_inputs,
    of_table,
    operation_inputs,
    search_inputs,
)
from passerelle.api.description.resource_schemas import PLACE
from passerelle.api.rest import fhir_routes
from passerelle.api.rest.operation import Level, Operation
from passerelle.api.rest.operations import OPERATIONS
from passerelle.api.rest.patches import JSON_PATCH
from passerelle.api.rest.requests import FORM
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.fhir.search.language.compartments import NAME, compartment_types, compartments
from passerelle.fhir.search.search_parameters import ANY, parameters

SYSTEM = (
    fhir_routes.BASE,
    fhir_routes.SYSTEM_SEARCH,
    fhir_routes.SYSTEM_HISTORY,
)
OPERATION_SHAPES: dict[Level, str] = {
    "system": fhir_routes.SYSTEM_OPERATION,
    "type": fhir_routes.TYPE_OPERATION,
    "instance": fhir_routes.OPERATION,
}
COMMON: Known = parameters(ANY)
"""The search parameters that every type has."""

ANY_BYTES: Described = {"*/*": {"schema": {"type": "string", "contentMediaType": "*/*"}}}
"""A Binary in its own type."""


def generic_paths(writing: WritingPolicy, known: Known = COMMON) -> dict[str, Described]:
    """Give the paths of the system, and of every type by ``{type}``."""
    paths = {fhir_routes.METADATA: {"get": _metadata()}}
    expanded = (*OPERATION_SHAPES.values(), fhir_routes.COMPARTMENT)
    for shape, routes in fhir_routes.ROUTES.items():
        if shape not in expanded:
            binary = "Binary" if shape.startswith(fhir_routes.BINARY) else None
            paths[shape] = _methods(shape, routes, binary, writing, known)
    for code in compartments():
        paths |= _compartment(code)
    return paths | dict(_operation_paths(None))


def type_paths(type_: str, writing: WritingPolicy, known: Known) -> dict[str, Described]:
    """Give the paths of one type, its search parameters (``known``) each by its name."""
    paths = {}
    for shape, routes in fhir_routes.ROUTES.items():
        if shape.startswith(fhir_routes.BINARY):
            if type_ == "Binary":
                paths[shape] = _methods(shape, routes, type_, writing, known)
        elif shape.startswith(fhir_routes.TYPE) and "$" not in shape and "compartment" not in shape:
            address = shape.replace("{type}", type_)
            paths.setdefault(address, _methods(address, routes, type_, writing, known))
    if type_ in compartments():
        paths |= _compartment(type_)
    return paths | dict(_operation_paths(type_))


def _methods(
    address: str,
    routes: dict[str, fhir_routes.Route],
    type_: str | None,
    writing: WritingPolicy,
    known: Known,
) -> Described:
    found = {}
    for method, route in routes.items():
        if route.code == "conditional-delete" and writing.conditional_delete == "off":
            continue
        told = INTERACTIONS[route.code]
        if route.code.endswith("update") and not writing.update_create:
            told = told._replace(answers=told.answers[:1])
        found[method.lower()] = _operation(address, method, route.code, told, type_, known)
    return found


def _operation(
    address: str, method: str, code: str, told: Told, type_: str | None, known: Known = COMMON
) -> Described:
    """Describe one method of one address."""
    made: Described = {
        "summary": told.summary if type_ is None else f"{told.summary} : {type_}",
        "operationId": f"{type_ or 'any'}.{code}.{_by(address, method)}",
        "tags": [type_ or "FHIR"],
        "parameters": [
            *_path_inputs(address),
            *_query(told, known, address),
            *header_inputs(*told.headers),
        ],
        "responses": _answers(told.answers, type_) | refusals(*told.refusals),
    }
    body = told.body
    if code.startswith("search") and method == "POST":
        body = "search"
    if body:
        made["requestBody"] = _body(body, type_)
    if type_ == "Binary" and code in ("read", "vread", "create", "update"):
        _add_bytes(made, code)
    return made


def _by(address: str, method: str) -> str:
    """Give the method, and what tells two addresses of one interaction apart."""
    return method.lower() + ("-search" if address.endswith("/_search") else "")


def _add_bytes(made: Described, code: str) -> None:
    """Let a Binary come and go in its own type, and in parts."""
    if code in ("create", "update"):
        made["requestBody"]["content"] |= ANY_BYTES
        made["parameters"] += header_inputs("X-Security-Context")
        return
    made["parameters"] += header_inputs("Range")
    whole = made["responses"]["200"]
    made["responses"]["200"] = whole | {"content": whole["content"] | ANY_BYTES}
    headers = {"Content-Range": ref("headers", "Content-Range")}
    made["responses"]["206"] = {
        "description": "La partie demandée",
        "headers": headers,
        "content": ANY_BYTES,
    }


def _path_inputs(address: str) -> list[Described]:
    names = [name for name in ("type", "id", "version", "file") if f"{{{name}}}" in address]
    return [ref("parameters", f"path.{name}") for name in names]


def _query(told: Told, known: Known, address: str) -> list[Described]:
    if told.query == "search":
        system = address in SYSTEM
        more = [_named_types()] if system else []
        return [*more, *search_inputs(known)]
    if told.query == "criteria":
        return criteria_inputs(known)
    if told.query == "history":
        return of_table(HISTORY, PARTS, FORMS)
    return of_table(PARTS, FORMS) if told.query == "part" else of_table(FORMS)


def _named_types() -> Described:
    text = "Les types cherchés, séparés par des virgules"
    return {"name": "_type", "in": "query", "description": text, "schema": {"type": "string"}}


def _answers(answers: tuple[Answered, ...], type_: str | None) -> Described:
    own = type_ or "Resource"
    found = {}
    for status, text, schema, headers in answers:
        if schema == OWN_OR_OUTCOME:
            made = answer(text, own, *headers)
            either = [{"$ref": PLACE + own}, {"$ref": PLACE + "OperationOutcome"}]
            made["content"]["application/fhir+json"] = {"schema": {"anyOf": either}}
        else:
            made = answer(text, own if schema == OWN else schema, *headers)
        found[status] = made
    return found


def _body(kind: str, type_: str | None) -> Described:
    """Describe what is sent."""
    if kind == "search":
        form: Described = {"type": "object", "additionalProperties": {"type": "string"}}
        return {"content": {FORM: {"schema": form}}}
    if kind == "patch":
        steps: Described = {"type": "array", "items": {"type": "object", "required": ["op"]}}
        forms = {JSON_PATCH: {"schema": steps}} | content("Parameters")
        return {"required": True, "content": forms}
    own = type_ or "Resource"
    return {"required": True, "content": content(own if kind == "type" else kind)}


def _metadata() -> Described:
    told = INTERACTIONS["capabilities"]
    return _operation(fhir_routes.METADATA, "GET", "capabilities", told, None)


def _compartment(code: str) -> dict[str, Described]:
    """Give the path of a compartment, with the types that may be in it."""
    address = fhir_routes.COMPARTMENT.replace("{type}", code)
    told = INTERACTIONS["search-compartment"]
    made = _operation(address, "GET", f"search-compartment.{code}", told, None)
    member: Described = {"enum": [NAME, *compartment_types(code)]}
    place = {"name": "compartment", "in": "path", "required": True, "schema": member}
    made["parameters"] = [place, *made["parameters"]]
    made["summary"] = f"Chercher dans le compartiment : {code}"
    return {address: {"get": made}}


def _operation_paths(type_: str | None) -> Iterator[tuple[str, Any]]:
    """Give the paths of the operations: of all, or those that a type has."""
    for each in OPERATIONS:
        for level, shape in OPERATION_SHAPES.items():
            if level not in each.levels:
                continue
            for place in _places(each, level, type_):
                address = shape.replace("{operation}", each.name)
                if place is not None:
                    address = address.replace("{type}", place)
                yield address, _called(each, level, address, place)


def _places(operation: Operation, level: Level, type_: str | None) -> list[str | None]:
    """Give the types that an operation is told of; None is any."""
    if level == "system":
        return [None] if type_ is None else []
    if type_ is not None:
        return [type_] if operation.stands(level, type_) else []
    return [None] if operation.types is None else [*sorted(operation.types)]


def _called(operation: Operation, level: Level, address: str, place: str | None) -> Described:
    """Describe the methods of an operation."""
    found = {}
    told = INTERACTIONS["operation"]
    for method in ("POST",) if operation.affects_state else ("GET", "POST"):
        sent = told if method == "POST" else told._replace(body="")
        made = _operation(address, method, f"{operation.name}.{level}", sent, place)
        made["summary"] = f"${operation.name}"
        made["externalDocs"] = {"url": operation.definition}
        made["tags"] = ["$"]
        if operation.returns == "Binary":
            made["responses"]["200"]["content"] |= {"text/calendar": {"schema": {"type": "string"}}}
        inputs = operation_inputs(operation.inputs)
        made["parameters"] = [*_path_inputs(address), *inputs, *header_inputs(*told.headers)]
        if method == "POST":
            bare = operation.takes_bare_resource()
            made["requestBody"] = {"content": content("Resource" if bare else "Parameters")}
        found[method.lower()] = made
    return found
