"""The description as a whole: OpenAPI 3.1 of the service and of the FHIR base.

https://spec.openapis.org/oas/v3.1.0 . Without a type it holds every shape of address once; one
type, or a few, are described in full, each search parameter by its name and each element by its
schema: all 146 at once would be too much for any tool.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from passerelle.api.description.components import Described, shared
from passerelle.api.description.fhir_paths import generic_paths, type_paths
from passerelle.api.description.query_inputs import Known
from passerelle.api.description.resource_schemas import outcome_schemas, resource_schemas
from passerelle.api.description.service_answers import service_paths
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.errors.refusals import Invalid, NotFound
from passerelle.errors.rules import issue
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.search.search_parameters import parameters

VERSION = "3.1.0"
TYPES_MAX = 20
"""As many types are described in full at once."""
TEXT = (
    "Dossiers de coordination en HL7 FHIR R4. Cette description est faite des mêmes tables que "
    "/fhir/metadata. Un type en entier, avec ses paramètres de recherche et ses éléments : "
    "/openapi.json?type=Patient (plusieurs : type=Patient,Observation). HEAD est répondu partout "
    "où GET l'est ; gzip est lu et écrit ; tout refus est un OperationOutcome."
)


def types_named(text: str | None) -> tuple[str, ...]:
    """Read the types that are to be described in full. Raises NotFound, Invalid."""
    if text is None:
        return ()
    named = tuple(dict.fromkeys(text.split(",")))
    if not resource_types().issuperset(named):
        raise NotFound(issue("http.type-unknown", "type"))
    if len(named) > TYPES_MAX:
        limit = TYPES_MAX
        raise Invalid(issue("search.too-many-values", "type", name="type", limit=limit))
    return named


def document(
    service: Mapping[str, Any],
    *,
    base_url: str,
    software_version: str,
    writing: WritingPolicy,
    known: Callable[[str], Known] = parameters,
    types: Sequence[str] = (),
) -> Described:
    """Give the description; ``service`` is what the framework knows of the addresses it serves,
    ``known`` the search parameters of a type, by code.
    """
    parts = shared()
    parts["schemas"] = outcome_schemas()
    paths: dict[str, Described] = {}
    if not types:
        paths = service_paths(service) | generic_paths(writing)
        parts["schemas"] |= resource_schemas("Binary")  # it has addresses of its own
        every: Described = {"enum": sorted(resource_types())}
        parts["parameters"]["path.type"] = {
            "name": "type",
            "in": "path",
            "required": True,
            "schema": every,
        }
    for type_ in types:
        paths |= type_paths(type_, writing, known(type_))
        parts["schemas"] = resource_schemas(type_) | parts["schemas"]
    return {
        "openapi": VERSION,
        "info": {"title": "Passerelle", "version": software_version, "description": TEXT},
        "servers": [{"url": base_url.removesuffix("/fhir")}],
        "paths": paths,
        "components": parts,
    }
