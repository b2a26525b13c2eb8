"""Look into decoded FHIR JSON of any shape: what has not the right form is not seen.

https://hl7.org/fhir/R4/json.html
"""

from collections.abc import Iterator
from typing import Any


def objects(parent: object, element: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the objects of a list element with their positions; nothing when it is no list."""
    values = parent.get(element) if isinstance(parent, dict) else None
    if values is None:
        return
    for position, value in enumerate(values if isinstance(values, list) else ()):
        if isinstance(value, dict):
            yield position, value


def text(parent: object, element: str) -> str | None:
    """Give a string element, None when it is absent or no string."""
    value = parent.get(element) if isinstance(parent, dict) else None
    return value if isinstance(value, str) else None


def codings(concept: object) -> list[dict[str, Any]]:
    """Give the codings of a CodeableConcept, none when it is none."""
    found = concept.get("coding") if isinstance(concept, dict) else None
    if not isinstance(found, list):
        return []
    return [coding for coding in found if isinstance(coding, dict)]


def extension_of(parent: object, url: str) -> tuple[int, dict[str, Any]] | None:
    """Give the first extension of that url and its position."""
    found = parent.get("extension") if isinstance(parent, dict) else None
    if isinstance(found, list):
        for position, extension in enumerate(found):
            if isinstance(extension, dict) and extension.get("url") == url:
                return position, extension
    return None
