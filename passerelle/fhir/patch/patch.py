"""A patch of either kind, read: a function from a resource to the patched one.

https://hl7.org/fhir/R4/http.html#patch
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.json_text import DEPTH_MAX
from passerelle.fhir.patch import fhirpath_patch, json_patch
from passerelle.fhir.resource import Resource

Patch: TypeAlias = Callable[[Resource], Resource]
"""Gives the patched resource, leaves the one handed in alone. Raises Unprocessable."""


def of_json(body: bytes) -> Patch:
    """Read a JSON Patch. Raises Invalid."""
    return of_operations(json_patch.document(body))


def of_operations(document: Any) -> Patch:
    """Read a JSON Patch that is decoded already. Raises Invalid."""
    operations = json_patch.operations(document)
    return lambda resource: checked(json_patch.apply(operations, resource), resource)


def of_parameters(parameters: Resource) -> Patch:
    """Read a FHIRPath Patch. Raises Invalid."""
    operations = fhirpath_patch.parse(parameters)
    return lambda resource: checked(fhirpath_patch.apply(operations, resource), resource)


def checked(patched: Any, resource: Resource) -> Resource:
    """Give the patched resource when it is still that resource. Raises Unprocessable.

    Whether it is sound is for the structure check to say, as of any write.
    """
    if not isinstance(patched, dict):
        raise Unprocessable(issue("patch.not-a-resource"))
    faults = [
        issue("patch.identity-changed", f"{resource.get('resourceType')}.{name}", name=name)
        for name in ("resourceType", "id")
        if patched.get(name) != resource.get(name)
    ]
    if not faults and _is_too_deep(patched):
        faults.append(issue("json.too-deep"))
    if faults:
        raise Unprocessable(*faults)
    return patched


def _is_too_deep(value: Resource) -> bool:
    """Tell whether objects and arrays stand deeper in one another than is read."""
    level: list[Any] = [value]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for holder in level
            for inner in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
