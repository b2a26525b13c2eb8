"""What every address of the description shares: media types, headers, answers, parameters.

https://spec.openapis.org/oas/v3.1.0#components-object , https://hl7.org/fhir/R4/http.html .
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from passerelle.api.description.resource_schemas import PLACE
from passerelle.api.rest.negotiation import FHIR_JSON, FHIR_XML

Described: TypeAlias = dict[str, Any]

MEDIA = (FHIR_JSON, FHIR_XML)

SENT_HEADERS: dict[str, Described] = {
    "If-Match": {
        "description": 'La version sur laquelle l\'écriture se fonde : W/"3"',
        "schema": {"type": "string", "examples": ['W/"1"']},
    },
    "If-None-Match": {
        "description": 'La version déjà tenue : 304 si rien n\'a changé ; "*" avec PUT : créer '
        "seulement",
        "schema": {"type": "string", "examples": ['W/"1"']},
    },
    "Idempotency-Key": {
        "description": "La même demande sous la même clé a la même réponse, pendant un jour",
        "schema": {"type": "string", "maxLength": 255},
    },
    "If-Modified-Since": {
        "description": "304 si rien n'a changé depuis",
        "schema": {"type": "string", "examples": ["Mon, 23 Nov 2026 09:00:00 GMT"]},
    },
    "If-None-Exist": {
        "description": "Critères : rien n'est créé si une ressource y répond déjà",
        "schema": {"type": "string", "examples": ["identifier=urn:oid:1.2.3|42"]},
    },
    "Prefer": {
        "description": "return=minimal | representation | OperationOutcome ; "
        "handling=strict | lenient ; respond-async",
        "schema": {"type": "string", "examples": ["return=minimal", "handling=strict"]},
    },
    "Range": {
        "description": "Une partie d'un document",
        "schema": {"type": "string", "examples": ["bytes=0-1023"]},
    },
    "X-Security-Context": {
        "description": "La ressource dont les droits valent pour ces octets",
        "schema": {"type": "string", "examples": ["Patient/1"]},
    },
}
"""Headers that a client may send, by name."""

GIVEN_HEADERS: dict[str, Described] = {
    "ETag": {"description": "La version", "schema": {"type": "string"}},
    "Last-Modified": {"description": "Quand elle a été faite", "schema": {"type": "string"}},
    "Location": {"description": "L'adresse de la version", "schema": {"type": "string"}},
    "X-Request-Id": {"description": "Le nom de la requête", "schema": {"type": "string"}},
    "Preference-Applied": {"description": "Le Prefer suivi", "schema": {"type": "string"}},
    "Content-Range": {"description": "La partie donnée", "schema": {"type": "string"}},
    "Retry-After": {"description": "Secondes à attendre", "schema": {"type": "string"}},
    "Content-Location": {
        "description": "Où demander où en est une demande",
        "schema": {"type": "string"},
    },
    "X-Progress": {"description": "Où en est une demande", "schema": {"type": "string"}},
    "Expires": {"description": "Quand la réponse est oubliée", "schema": {"type": "string"}},
    "Allow": {"description": "Les méthodes permises", "schema": {"type": "string"}},
}
"""Headers that an answer may carry, by name."""

REFUSALS: dict[str, str] = {
    "400": "Ce qui est demandé est fautif : toutes les fautes à la fois",
    "404": "L'adresse ou la ressource n'existe pas",
    "405": "Cette méthode n'est pas permise ici",
    "406": "La forme demandée n'est pas servie",
    "409": "Conflit avec ce qui est gardé",
    "410": "La ressource est supprimée",
    "412": "La condition n'est pas remplie",
    "413": "Le corps est trop grand",
    "415": "La forme du corps n'est pas lue",
    "422": "Compris, mais contraire aux règles",
    "501": "Connu de la norme, pas encore ici",
    "503": "La base de données ne répond pas",
    "4XX": "Refusé ; l'OperationOutcome dit pourquoi",
}
"""Answers that refuse, all with an OperationOutcome."""

_MORE = {"405": ("Allow",), "503": ("Retry-After",), "410": ("ETag",)}

TEXT: Described = {"type": "string", "minLength": 1}
PATHS: dict[str, Described] = {
    "id": {
        "description": "Identifiant logique",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9.\\-]{1,64}$"},
    },
    "version": {
        "description": "Numéro de version",
        "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
    },
    "file": {
        "description": "Numéro d'un fichier",
        "schema": {"type": "string", "pattern": "^[0-9]{1,5}$"},
    },
}
"""Parameters of paths, those that name a type left aside."""


_FILES: Described = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["type", "url"],
        "properties": {
            "type": {"type": "string"},
            "url": {"type": "string"},
            "count": {"type": "integer"},
        },
    },
}
OTHER_BODIES: dict[str, Described] = {
    "manifest": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["transactionTime", "request", "requiresAccessToken", "output"],
                "properties": {
                    "transactionTime": {"type": "string"},
                    "request": {"type": "string"},
                    "requiresAccessToken": {"type": "boolean"},
                    "output": _FILES,
                    "error": _FILES,
                },
            }
        }
    },
    "ndjson": {"application/fhir+ndjson": {"schema": {"type": "string"}}},
}
"""Bodies that are no resource (https://hl7.org/fhir/R4/async.html)."""


def ref(kind: str, name: str) -> Described:
    """Point to a shared part: ``ref("headers", "ETag")``."""
    return {"$ref": f"#/components/{kind}/{name}"}


def content(schema: str, media: Iterable[str] = MEDIA) -> Described:
    """Give a body in each of its forms. The schema is that of JSON; XML holds the same."""
    return {
        each: {"schema": {"$ref": PLACE + schema} if "json" in each else {"type": "string"}}
        for each in media
    }


def answer(description: str, schema: str | None, *headers: str) -> Described:
    """Give an answer with the headers it carries; without a schema it has no body."""
    made: Described = {"description": description}
    named = {name: ref("headers", name) for name in headers}
    if named:
        made["headers"] = named
    if schema is not None:
        made["content"] = OTHER_BODIES[schema] if schema in OTHER_BODIES else content(schema)
    return made


def refusals(*statuses: str) -> Described:
    """Give the answers that refuse with those statuses, and whatever else is refused."""
    return {status: ref("responses", status) for status in (*statuses, "4XX", "501", "503")}


def header_inputs(*names: str) -> list[Described]:
    """Point to headers that a client may send."""
    return [ref("parameters", f"header.{name}") for name in names]


def shared() -> Described:
    """Give the shared parts but for the schemas."""
    parameters = {
        f"header.{name}": {"name": name, "in": "header", **rest}
        for name, rest in SENT_HEADERS.items()
    }
    parameters |= {
        f"path.{name}": {"name": name, "in": "path", "required": True, **rest}
        for name, rest in PATHS.items()
    }
    responses = {
        status: answer(text, "OperationOutcome", *_MORE.get(status, ()))
        for status, text in REFUSALS.items()
    }
    return {"headers": GIVEN_HEADERS, "parameters": parameters, "responses": responses}
