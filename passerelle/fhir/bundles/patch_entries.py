"""The patch that an entry of a batch or a transaction carries.

https://hl7.org/fhir/R4/http.html#patch : a JSON Patch travels as a Binary, a FHIRPath Patch as
Parameters. Links to other entries are resolved in what the patch puts in, never in what it patches.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.bundle_links import URN, rewrite
from passerelle.fhir.patch import json_patch, patch
from passerelle.fhir.patch.patch import Patch
from passerelle.fhir.resource import Resource

JSON_PATCH = "application/json-patch+json"
TYPES = frozenset({"Binary", "Parameters"})

Resolve = Callable[[str], str | None]


def read(resource: Resource, resolve: Resolve) -> Patch:
    """Read the patch of an entry, its links resolved. Raises Invalid."""
    if resource.get("resourceType") == "Parameters":
        return patch.of_parameters(rewrite(resource, resolve))
    return patch.of_operations(_resolved(_document(resource), resolve))


def _document(binary: Resource) -> Any:
    """Give the JSON that a Binary holds."""
    media = str(binary.get("contentType", "")).partition(";")[0].strip().lower()
    if media != JSON_PATCH:
        raise Invalid(issue("patch.binary-type", "Binary.contentType"))
    try:
        data = base64.b64decode("".join(str(binary.get("data", "")).split()), validate=True)
    except (ValueError, binascii.Error):
        raise Invalid(issue("patch.data", "Binary.data")) from None
    return json_patch.document(data)


def _resolved(document: Any, resolve: Resolve) -> Any:
    """Resolve the links in the values of the operations, those that are texts themselves too."""
    if not isinstance(document, list):
        return document
    made = []
    for operation in document:
        if isinstance(operation, dict) and "value" in operation:
            value = operation["value"]
            if isinstance(value, str):
                found = resolve(value) if value.startswith(URN) else None
                value = value if found is None else found
            else:
                value = rewrite(value, resolve)
            operation = operation | {"value": value}
        made.append(operation)
    return made
