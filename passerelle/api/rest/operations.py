"""The one table of operations, and how a call finds its operation and its inputs.

https://hl7.org/fhir/R4/operations.html#executing : by POST with Parameters (or the one resource
that an operation takes), by GET when it changes nothing and the URL can hold its inputs.
"""

from collections.abc import Iterator
from typing import Any

from passerelle.api.errors import NotAllowedHere
from passerelle.api.rest import (
    alert_operations,
    binary_results,
    calendar_operations,
    death_operations,
    dossier_operations,
    gathering_operations,
    mailing_operations,
    matching_operations,
    observation_operations,
    parameter_operations,
    person_operations,
    resource_operations,
    terminology_operations,
)
from passerelle.api.rest.interactions import instance_key, shown
from passerelle.api.rest.operation import Invocation, Level, Operation
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid, NotSupported
from passerelle.errors.rules import issue
from passerelle.fhir import capability, operation_inputs
from passerelle.fhir.resource import Resource

OPERATIONS: tuple[Operation, ...] = (
    *resource_operations.OPERATIONS,
    *gathering_operations.OPERATIONS,
    *matching_operations.OPERATIONS,
    *observation_operations.OPERATIONS,
    *mailing_operations.OPERATIONS,
    *alert_operations.OPERATIONS,
    *dossier_operations.OPERATIONS,
    *calendar_operations.OPERATIONS,
    *death_operations.OPERATIONS,
    *parameter_operations.OPERATIONS,
    *person_operations.OPERATIONS,
    *terminology_operations.OPERATIONS,
)
"""Every operation. Two may share a name when they stand at different places."""

_BY_NAME: dict[str, list[Operation]] = {}
for _each in OPERATIONS:
    _BY_NAME.setdefault(_each.name, []).append(_each)


async def invoke(repository: Repository, request: Request) -> Reply:
    """Find the operation that an address names, read its inputs, and have it answered.

    Raises NotSupported (no such operation here), NotAllowedHere (GET of one that changes the
    record), Invalid with every fault of the inputs.
    """
    level: Level = "instance" if request.id else "type" if request.type else "system"
    operation = find(request.operation, level, request.type)
    if operation is None:
        named = "/".join(part for part in (request.type, f"${shown(request.operation)}") if part)
        raise NotSupported(issue("http.not-there-yet", what=named))
    if operation.affects_state and request.method != "POST":
        raise NotAllowedHere(("POST",))
    if level == "instance":
        instance_key(request)
    body, bare = await _body(operation, request)
    values = {} if operation.inputs is None else _values(operation, request, body)
    asked = Invocation(level, request.type, request.id, values, body, request, bare)
    return await operation.handler(repository, asked)


def gives_bytes(request: Request) -> bool:
    """Tell whether the answer is the bytes of a Binary: the operation gives one, and it is asked
    for in no form of FHIR.
    """
    level: Level = "instance" if request.id else "type" if request.type else "system"
    operation = find(request.operation, level, request.type)
    return (
        operation is not None and operation.returns == "Binary" and binary_results.as_bytes(request)
    )


def find(name: str, level: Level, type: str) -> Operation | None:
    """Give the operation of that name at that place."""
    return next((each for each in _BY_NAME.get(name, ()) if each.stands(level, type)), None)


def claims(types: frozenset[str]) -> Iterator[capability.Operation]:
    """Give what the CapabilityStatement claims; the type is empty for the system."""
    for each in OPERATIONS:
        if "system" in each.levels:
            yield capability.Operation("", each.name, each.definition)
        if each.levels - {"system"}:
            for type_ in sorted(types if each.types is None else each.types):
                yield capability.Operation(type_, each.name, each.definition)


async def _body(operation: Operation, request: Request) -> tuple[Resource | None, bool]:
    """Give the Parameters of a POST, or None when there is no body. Raises Invalid.

    Tells also whether it was the bare resource that Parameters would hold.
    """
    if request.method != "POST" or request.has_no_body():
        return None, False
    body = await request.resource()
    bare = operation.takes_bare_resource()
    if bare and _is_bare(body, request.type):
        return operation_inputs.of_resource(body), True
    if body.get("resourceType") != "Parameters":
        raise Invalid(issue("http.type-mismatch", "resourceType", type="Parameters"))
    return body, False


def _is_bare(body: Resource, type: str) -> bool:
    """Tell whether a body is the resource itself; Parameters are, where that type is asked."""
    if body.get("resourceType") != "Parameters":
        return True
    return type == "Parameters" and not operation_inputs.holds(body, "resource")


def _values(operation: Operation, request: Request, body: Resource | None) -> dict[str, list[Any]]:
    """Give the inputs. Raises Invalid; inputs that nobody declared are refused when strict."""
    given = operation_inputs.read(operation.inputs or (), request.pairs(), body)
    faults = list(given.faults)
    if request.strict:
        faults += [issue("http.parameter-unknown", name=shown(name)) for name in given.unknown]
    if faults:
        raise Invalid(*faults)
    return dict(given.values)
