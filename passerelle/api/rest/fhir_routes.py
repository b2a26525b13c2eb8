"""The FHIR addresses: which handler answers which method on which shape of address.

https://hl7.org/fhir/R4/http.html#summary . These tables route, and the CapabilityStatement is
made from them; what the standard has and they do not is refused by name.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from passerelle.api.rest import (
    async_requests,
    binaries,
    bundles,
    deletes,
    histories,
    interactions,
    operations,
    patches,
    searches,
)
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.errors.refusals import NotFound
from passerelle.errors.rules import issue
from passerelle.fhir.conformance.structure_table import resource_types

Handler = Callable[[Repository, Request], Awaitable[Reply]]


class Route(NamedTuple):
    """What answers a method on an address; ``code`` is its interaction in the standard.

    ``negotiates``: the handler itself looks at what the client can read (Binary, NDJSON).
    """

    handler: Handler
    code: str
    negotiates: bool = False


BASE = "/fhir"
METADATA = "/fhir/metadata"
SYSTEM_SEARCH = "/fhir/_search"
SYSTEM_HISTORY = "/fhir/_history"
SYSTEM_OPERATION = "/fhir/${operation}"
SMART = "/fhir/.well-known/smart-configuration"
TYPE = "/fhir/{type}"
TYPE_SEARCH = "/fhir/{type}/_search"
TYPE_HISTORY = "/fhir/{type}/_history"
TYPE_OPERATION = "/fhir/{type}/${operation}"
INSTANCE = "/fhir/{type}/{id}"
HISTORY = "/fhir/{type}/{id}/_history"
VERSION = "/fhir/{type}/{id}/_history/{version}"
OPERATION = "/fhir/{type}/{id}/${operation}"
COMPARTMENT = "/fhir/{type}/{id}/{compartment}"
ASYNC = "/fhir/_async/{id}"
ASYNC_OUTPUT = "/fhir/_async/{id}/{file}"
BINARY = "/fhir/Binary"
BINARY_INSTANCE = "/fhir/Binary/{id}"
BINARY_VERSION = "/fhir/Binary/{id}/_history/{version}"

_OPERATION = {
    "GET": Route(operations.invoke, "operation"),
    "POST": Route(operations.invoke, "operation"),
}

ROUTES: dict[str, dict[str, Route]] = {
    BASE: {
        "GET": Route(searches.search, "search-system"),
        "POST": Route(bundles.apply, "transaction"),
    },
    SYSTEM_SEARCH: {
        "GET": Route(searches.search, "search-system"),
        "POST": Route(searches.search_by_form, "search-system"),
    },
    TYPE: {
        "GET": Route(searches.search, "search-type"),
        "POST": Route(interactions.create, "create"),
        "PUT": Route(interactions.update_matching, "conditional-update"),
        "PATCH": Route(patches.patch_matching, "conditional-patch"),
        "DELETE": Route(deletes.delete_matching, "conditional-delete"),
    },
    TYPE_SEARCH: {
        "GET": Route(searches.search, "search-type"),
        "POST": Route(searches.search_by_form, "search-type"),
    },
    INSTANCE: {
        "GET": Route(interactions.read, "read"),
        "PUT": Route(interactions.update, "update"),
        "PATCH": Route(patches.patch_one, "patch"),
        "DELETE": Route(interactions.delete, "delete"),
    },
    COMPARTMENT: {"GET": Route(searches.search_compartment, "search-compartment")},
    SYSTEM_HISTORY: {"GET": Route(histories.of_system, "history-system")},
    TYPE_HISTORY: {"GET": Route(histories.of_type, "history-type")},
    HISTORY: {"GET": Route(histories.of_instance, "history-instance")},
    VERSION: {"GET": Route(interactions.vread, "vread")},
    ASYNC: {
        "GET": Route(async_requests.status, "async-status"),
        "DELETE": Route(async_requests.cancel, "async-cancel"),
    },
    ASYNC_OUTPUT: {"GET": Route(async_requests.output, "async-output", negotiates=True)},
    SYSTEM_OPERATION: _OPERATION,
    TYPE_OPERATION: _OPERATION,
    OPERATION: _OPERATION,
}
ROUTES[BINARY] = ROUTES[TYPE] | {"POST": Route(binaries.create, "create")}
ROUTES[BINARY_VERSION] = {"GET": Route(binaries.vread, "vread", negotiates=True)}
ROUTES[BINARY_INSTANCE] = ROUTES[INSTANCE] | {
    "GET": Route(binaries.read, "read", negotiates=True),
    "PUT": Route(binaries.update, "update"),
}

NOT_THERE_YET: dict[str, dict[str, str]] = {
    SMART: {"GET": "SMART App Launch"},
}
"""What R4 has and we do not have yet, by its name there."""

TYPE_INTERACTIONS = (
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
)
SYSTEM_INTERACTIONS = ("transaction", "batch", "search-system", "history-system")
CONDITIONS: dict[str, bool | str | list[str]] = {
    "versioning": "versioned",
    "readHistory": True,
    "conditionalCreate": True,
    "conditionalRead": "full-support",
    "conditionalUpdate": True,
}


def conditions(writing: WritingPolicy) -> dict[str, bool | str | list[str]]:
    """Give what is claimed of conditions and references, under that policy of writing."""
    deletes = writing.conditional_delete
    policies = ["literal", "logical", *(["enforced"] if writing.references == "enforce" else [])]
    return CONDITIONS | {
        "updateCreate": writing.update_create,
        "conditionalDelete": "not-supported" if deletes == "off" else deletes,
        "referencePolicy": policies,
    }


_MARKED_ONE = {
    "metadata": METADATA,
    "_search": SYSTEM_SEARCH,
    "_history": SYSTEM_HISTORY,
}
_MARKED_TWO = {"_search": TYPE_SEARCH, "_history": TYPE_HISTORY}


def shape_of(segments: Sequence[str], request: Request) -> str:
    """Give the shape of an address below the base, and set the parameters that stand in it.

    Raises NotFound for an address that has no shape of the standard, or an unknown type.
    """
    count = len(segments)
    if count == 0:
        return BASE
    first = segments[0]
    if first not in resource_types():
        return _system_shape(segments, request)
    request.type = first
    if count == 1:
        return BINARY if first == "Binary" else TYPE
    second = segments[1]
    if count == 2:
        if second[:1] == "$":
            request.operation = second[1:]
            return TYPE_OPERATION
        if second[:1] == "_":
            return _marked(_MARKED_TWO, second)
        request.id = second
        return BINARY_INSTANCE if first == "Binary" else INSTANCE
    request.id = second
    third = segments[2]
    if third == "_history" and count == 3:
        return HISTORY
    if third == "_history" and count == 4:
        request.version = segments[3]
        return BINARY_VERSION if first == "Binary" else VERSION
    if third[:1] == "$" and count == 3:
        request.operation = third[1:]
        return OPERATION
    if (third == "*" or third in resource_types()) and count == 3:
        request.member = third
        return COMPARTMENT
    raise NotFound(issue("http.address-unknown"))


def _system_shape(segments: Sequence[str], request: Request) -> str:
    first = segments[0]
    if len(segments) == 1:
        if first[:1] == "$":
            request.operation = first[1:]
            return SYSTEM_OPERATION
        if first[:1].isupper():
            raise NotFound(issue("http.type-unknown"))
        return _marked(_MARKED_ONE, first)
    if segments == [".well-known", "smart-configuration"]:
        return SMART
    if first == "_async" and len(segments) <= 3:
        request.id = segments[1]
        request.member = segments[2] if len(segments) == 3 else ""
        return ASYNC_OUTPUT if request.member else ASYNC
    if first[:1].isupper():
        raise NotFound(issue("http.type-unknown"))
    raise NotFound(issue("http.address-unknown"))


def _marked(shapes: dict[str, str], segment: str) -> str:
    shape = shapes.get(segment)
    if shape is None:
        raise NotFound(issue("http.address-unknown"))
    return shape
