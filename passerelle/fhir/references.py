"""References as they are written, and what they lead to.

https://hl7.org/fhir/R4/references.html#literal
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

_TYPE = r"[A-Z][A-Za-z]{1,63}"
_ID = r"[A-Za-z0-9\-.]{1,64}"
_HISTORY = rf"(?:/_history/{_ID})?"
_LOCAL = re.compile(rf"(?P<type>{_TYPE})/(?P<id>{_ID}){_HISTORY}")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.\-]*:[^\s]+", re.IGNORECASE)
_VERSIONED = re.compile(rf"/_history/{_ID}$")
_TAIL = re.compile(rf"(?:^|/)(?P<type>{_TYPE})/{_ID}{_HISTORY}$")
_BARE_ID = re.compile(_ID)


USUAL_LENGTH = 200
"""Longer references are not remembered."""


class Target(NamedTuple):
    """``("Patient", "1")`` when local, ``("", "https://…")`` when absolute; no version in it."""

    type: str
    id: str


def target(reference: str) -> Target | None:
    """Give what a literal reference leads to; None when it is contained or not one."""
    return _known(reference) if len(reference) <= USUAL_LENGTH else _read(reference)


@lru_cache(maxsize=4096)
def _known(reference: str) -> Target | None:
    """Read a reference once: a resource that is written is looked at for several reasons."""
    return _read(reference)


def _read(reference: str) -> Target | None:
    match = _LOCAL.fullmatch(reference)
    if match is not None:
        return Target(match["type"], match["id"])
    if _ABSOLUTE.fullmatch(reference) is None:
        return None
    return Target("", _VERSIONED.sub("", reference))


def target_type(reference: Mapping[str, object]) -> str | None:
    """Give the resource type that a Reference leads to, from its address or its ``type``."""
    literal = reference.get("reference")
    if isinstance(literal, str):
        match = _TAIL.search(literal)
        if match is not None:
            return match["type"]
    declared = reference.get("type")
    return declared if isinstance(declared, str) else None


def is_id(text: str) -> bool:
    """Tell whether a text is spelled as a logical id."""
    return _BARE_ID.fullmatch(text) is not None
