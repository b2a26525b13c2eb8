"""Faults of a native dossier, each with the entry that has to answer for it.

House section 4: all faults at once, as JSON Pointers (https://www.rfc-editor.org/rfc/rfc6901). In
lenient mode the entry at fault is refused and the rest goes on; what belongs to no entry is fatal.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.mappers.native.dossier import SECTIONS, entries_in, place_of

EntryName = tuple[str, str]
"""(section, native key); ``#<index>`` when the entry has no key, ``*`` for a whole section."""

WHOLE = "*"


class Fault(NamedTuple):
    """An issue and the entry it refuses; None when the whole dossier cannot be taken."""

    issue: Issue
    entry: EntryName | None


def pointer(path: Iterable[str | int]) -> str:
    """Write a JSON Pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def answering(content: dict[str, Any], path: Sequence[str | int]) -> EntryName | None:
    """Find the entry that a place lies in; None for the root, the person and the managing one."""
    section = path[0] if path else None
    if section not in SECTIONS:
        return None
    section, place = str(section), place_of(str(section))
    if tuple(path[: len(place)]) != place or len(path) == len(place):
        return None if section == "circle" else (section, WHOLE)
    index = int(path[len(place)])
    return entry_name(section, index, entries_in(content, section)[index])


def entry_name(section: str, index: int, entry: Any) -> EntryName:
    """Name an entry by its key, or by its place when it has none."""
    key = entry.get("key") if isinstance(entry, dict) else None
    return (section, key if isinstance(key, str) and key else f"#{index}")
