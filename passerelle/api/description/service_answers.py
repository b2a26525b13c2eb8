"""What the addresses beside the FHIR base answer: completes what the framework knows of them.

https://spec.openapis.org/oas/v3.1.0#responses-object .
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from passerelle.api.description.components import Described, header_inputs, ref

JSON = "application/json"
_ANY_JSON: Described = {JSON: {"schema": {"type": "object"}}}
_ACKNOWLEDGEMENT: Described = {JSON: {"schema": {"type": "object", "required": ["by"]}}}
_NDJSON = "application/x-ndjson"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TEXT: Described = {"schema": {"type": "string"}}
_BYTES: Described = {"schema": {"type": "string", "contentMediaType": _XLSX}}
_DOSSIER: Described = {JSON: {"schema": {"type": "object", "required": ["format"]}}}


def _ok(text: str, content: Described, *headers: str) -> Described:
    named = {name: ref("headers", name) for name in headers}
    made: Described = {"description": text}
    return made | ({"content": content} if content else {}) | ({"headers": named} if named else {})


ACTS = ("suspend", "close", "reopen", "declare-death", "cancel-death")
"""Acts on a dossier."""

_WRITES = ("400", "404", "409", "412", "413", "415", "422")

ANSWERS: dict[tuple[str, str], tuple[Described, tuple[str, ...]]] = {
    ("get", "/health/live"): ({"200": _ok("Le processus répond", _ANY_JSON)}, ()),
    ("get", "/health/ready"): (
        {"200": _ok("En service", _ANY_JSON), "503": _ok("Hors service", _ANY_JSON)},
        (),
    ),
    ("get", "/metrics"): (
        {"200": _ok("Chiffres", {"text/plain": {"schema": {"type": "string"}}})},
        (),
    ),
    ("get", "/openapi.json"): ({"200": _ok("La description", _ANY_JSON)}, ("400",)),
    ("get", "/dossiers"): ({"200": _ok("La liste, ou les changements", _ANY_JSON)}, ("400", "406")),
    ("get", "/dossiers:export"): (
        {"200": _ok("La table", {"text/csv": _TEXT, _XLSX: _BYTES})},
        ("400", "406"),
    ),
    ("post", "/dossiers:batch"): (
        {"200": _ok("Un reçu par ligne", {_NDJSON: _TEXT})},
        ("400", "413", "415"),
    ),
    ("post", "/dossiers:diff"): (
        {"200": _ok("Les différences", _ANY_JSON)},
        ("400", "404", "406", "409", "413", "415"),
    ),
    ("put", "/dossiers/{dossier}"): (
        {
            "200": _ok("Reçu, entrée par entrée", _ANY_JSON, "ETag"),
            "201": _ok("Le dossier est nouveau", _ANY_JSON, "ETag"),
            "204": _ok("Fait (Prefer: return=minimal)", {}, "ETag"),
        },
        _WRITES,
    ),
    ("get", "/dossiers/{dossier}"): (
        {
            "200": _ok(
                "Le dossier",
                {
                    **_DOSSIER,
                    "application/fhir+json": {"schema": {"type": "object"}},
                    "text/calendar": _TEXT,
                },
                "ETag",
            ),
            "304": _ok("Rien n'a changé", {}, "ETag"),
        },
        ("400", "404", "406", "410", "422"),
    ),
    ("post", "/dossiers/{dossier}:agenda"): (
        {"200": _ok("Reçu, entrée par entrée", _ANY_JSON, "ETag")},
        _WRITES,
    ),
    ("post", "/dossiers/{dossier}/alerts/{key}:ack"): (
        {"200": _ok("Reçu, entrée par entrée", _ANY_JSON, "ETag")},
        ("400", "404", "409", "413", "415", "422"),
    ),
    **{
        ("post", f"/dossiers/{{dossier}}:{act}"): (
            {"200": _ok("Reçu, entrée par entrée, et différence", _ANY_JSON, "ETag")},
            ("400", "404", "409", "412", "413", "415", "422"),
        )
        for act in ACTS
    },
    ("get", "/mss/messages"): ({"200": _ok("Les messages", _ANY_JSON)}, ("400",)),
    ("get", "/mss/white-list"): ({"200": _ok("Les domaines", _ANY_JSON)}, ("400",)),
}
"""Answers and refusals, by method and address."""

SENT: dict[tuple[str, str], tuple[tuple[str, ...], Described | None]] = {
    ("put", "/dossiers/{dossier}"): (("Prefer", "If-Match", "Idempotency-Key"), _DOSSIER),
    ("get", "/dossiers/{dossier}"): (("If-None-Match",), None),
    ("post", "/dossiers/{dossier}/alerts/{key}:ack"): ((), _ACKNOWLEDGEMENT),
    ("post", "/dossiers:diff"): ((), _ANY_JSON),
    **{
        ("post", f"/dossiers/{{dossier}}:{act}"): (
            () if act.endswith("death") else ("If-Match",),
            _ACKNOWLEDGEMENT,
        )
        for act in ACTS
    },
    ("post", "/dossiers/{dossier}:agenda"): (("Prefer", "If-Match"), {"text/calendar": _TEXT}),
    ("post", "/dossiers:batch"): (("Prefer",), {_NDJSON: _TEXT}),
}
"""Headers and body, by method and address."""


def service_paths(openapi: Mapping[str, Any]) -> dict[str, Described]:
    """Give the paths that the framework describes, completed. Raises KeyError."""
    paths: dict[str, Described] = deepcopy(openapi["paths"])
    for address, methods in paths.items():
        for method, operation in methods.items():
            answers, refused = ANSWERS[method, address]
            told = {status: ref("responses", status) for status in (*refused, "4XX", "501", "503")}
            operation["responses"] = told | answers
            headers, body = SENT.get((method, address), ((), None))
            if headers:
                operation.setdefault("parameters", []).extend(header_inputs(*headers))
            if body is not None:
                operation["requestBody"] = {"required": True, "content": body}
    return paths
