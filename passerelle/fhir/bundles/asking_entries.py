"""Entries of a bundle that ask and write nothing: every address that a GET can have, operations.

https://hl7.org/fhir/R4/http.html#transaction : an entry asks what the same request would ask by
itself. https://hl7.org/fhir/R4/operations.html#executing . Pure: the addresses are answered where
all others are, here they are only looked at before anything is done.
"""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple
from urllib.parse import unquote

ID = re.compile(r"[A-Za-z0-9.\-]{1,64}\Z")
TYPE_LIKE = re.compile(r"[A-Z][A-Za-z]{0,63}\Z")
SYSTEM_MARKS = frozenset({"metadata", "_history", "_search"})
TYPE_MARKS = frozenset({"_history", "_search"})


class Address(NamedTuple):
    """What an entry asks: the segments below the base, decoded, and the query as it is written."""

    segments: tuple[str, ...]
    query: str = ""

    @property
    def operation(self) -> str | None:
        """The name of the operation that is asked for, without ``$``."""
        last = self.segments[-1] if self.segments else ""
        return last[1:] if last[:1] == "$" else None


SYSTEM = Address(())
"""The base itself."""


def address_of(relative: str) -> Address:
    """Read an address below the base, ``Patient/1/_history?_count=2``."""
    path, _, query = relative.partition("?")
    segments = [unquote(segment) for segment in path.split("/")] if path else []
    if segments and not segments[-1]:
        segments.pop()
    return Address(tuple(segments), query)


def fault_of(address: Address, types: Collection[str]) -> str | None:
    """Give the rule that an address breaks; None for one that a GET can have."""
    segments = address.segments
    if not segments or (len(segments) == 1 and _is_of_system(segments[0])):
        return None
    first = segments[0]
    if first == ".well-known":
        return "bundle.interaction-not-supported"
    if first not in types:
        return "bundle.type-unknown"
    return None if _is_of_type(segments[1:], types) else "bundle.url-malformed"


def _is_of_system(segment: str) -> bool:
    return segment in SYSTEM_MARKS or (segment[:1] == "$" and len(segment) > 1)


def _is_of_type(rest: Sequence[str], types: Collection[str]) -> bool:
    """Tell whether what follows a type is an address of the standard."""
    match rest:
        case []:
            return True
        case [one]:
            return one in TYPE_MARKS or one[:1] == "$" or bool(ID.match(one))
        case [id_, "_history"] | [id_, "_history", _]:
            return bool(ID.match(id_))
        case [id_, third]:
            return bool(ID.match(id_)) and (third[:1] == "$" or third == "*" or third in types)
    return False
