"""JSON Pointer, as far as JSON Patch needs it (https://www.rfc-editor.org/rfc/rfc6901)."""

import re
from typing import Any, NamedTuple

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_BAD_ESCAPE = re.compile(r"~(?![01])")
POINTER_MAX = 2000
"""As long a pointer may be; no resource is deep enough for a longer one."""


class NowhereError(Exception):
    """A pointer leads to nothing in that document."""


class Pointer(NamedTuple):
    """The steps of a pointer; none is the whole document."""

    steps: tuple[str, ...]

    def is_within(self, other: "Pointer") -> bool:
        """Tell whether this place lies truly inside another."""
        count = len(other.steps)
        return len(self.steps) > count and self.steps[:count] == other.steps


def parse(text: str) -> Pointer | None:
    """Read a pointer, ``/name/0/given``; None when it is not one."""
    if text == "":
        return Pointer(())
    if not text.startswith("/") or len(text) > POINTER_MAX or _BAD_ESCAPE.search(text):
        return None
    return Pointer(
        tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))
    )


def value_at(document: Any, pointer: Pointer) -> Any:
    """Give the value at a pointer. Raises NowhereError."""
    for step in pointer.steps:
        document = child(document, step)
    return document


def child(holder: Any, step: str) -> Any:
    """Give the member of an object or an array that a step names. Raises NowhereError."""
    if isinstance(holder, dict):
        if step not in holder:
            raise NowhereError
        return holder[step]
    if isinstance(holder, list):
        return holder[index(step, len(holder) - 1)]
    raise NowhereError


def index(step: str, last: int) -> int:
    """Read a step as the index of an array, at most ``last``. Raises NowhereError."""
    if not _INDEX.fullmatch(step) or int(step) > last:
        raise NowhereError
    return int(step)
