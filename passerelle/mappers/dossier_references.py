"""References inside a native dossier: each resolves, none is ambiguous, none goes in a circle.

The form's own rules (``dossier.schema.json``): a member reference is a key of ``circle`` or ``person``; ``documents.replaces`` and
``tasks.parent`` name an entry of their own section, ``tasks.about`` one of any.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from passerelle.errors.rules import issue
from passerelle.mappers.dossier import PERSON, SECTIONS, Entry
from passerelle.mappers.dossier_faults import EntryName, Fault, pointer

Sound = dict[str, dict[int, Entry]]
"""The entries of right shape: section to index to entry."""

Path = tuple[str, ...]

_MEMBERS: dict[str, tuple[Path, ...]] = {
    "circle": (("invitedBy",),),
    "documents": (("author",), ("depositor",), ("audience", "onlyFor", "*")),
    "appointments": (("organiser",), ("participants", "*", "member")),
    "tasks": (
        ("requester",),
        ("owner",),
        ("comments", "*", "by"),
        ("audience", "onlyFor", "*"),
    ),
}
"""Where member references stand in an entry, by section."""

_ENTRIES: dict[str, Path] = {"documents": ("replaces",), "tasks": ("parent",)}
"""Where an entry names another of its own section."""

_NOWHERE: Path = ("",)
"""A path that no entry has."""

_ROOT: tuple[Path, ...] = (("lead",), ("closure", "by"), ("person", "death", "declaredBy"))
"""Where member references stand outside the sections."""

ROOT = "dossier"


def check(sound: Sound, known: frozenset[EntryName]) -> list[Fault]:
    """Give the faults of reference; the entries at fault leave ``sound``, and what names them.

    ``known`` are the entries that the record has already.
    """
    faults: list[Fault] = []
    while found := list(_unresolved(sound, known)) + list(_cycles(sound)):
        faults += found
        refused = {fault.entry for fault in found}
        for section, entries in sound.items():
            for index in [i for i, e in entries.items() if (section, e["key"]) in refused]:
                del entries[index]
    return faults


def check_root(
    content: Mapping[str, Any], sound: Sound, known: frozenset[EntryName]
) -> list[Fault]:
    """Give the member references of the root that name nobody; each is left out on its own."""
    keys = _keys(sound, known)
    return [
        Fault(issue("dossier.reference-unresolved", pointer(path)), (ROOT, ".".join(path)))
        for path in _ROOT
        for _, value in _values(content, path)
        if not _is_member(value, keys)
    ]


def without(content: Mapping[str, Any], refused: frozenset[EntryName]) -> dict[str, Any]:
    """Leave out the member references of the root that are refused."""
    kept = dict(content)
    for path in _ROOT:
        if (ROOT, ".".join(path)) in refused:
            kept = _without(kept, path)
    return kept


def _unresolved(sound: Sound, known: frozenset[EntryName]) -> Iterator[Fault]:
    keys = _keys(sound, known)
    for section, entries in sound.items():
        for index, entry in entries.items():
            for place, rule in _faulty(section, entry, keys):
                yield Fault(issue(rule, pointer((section, index, *place))), (section, entry["key"]))


def _faulty(
    section: str, entry: Entry, keys: frozenset[EntryName]
) -> Iterator[tuple[list[str | int], str]]:
    for path in _MEMBERS[section]:
        for place, value in _values(entry, path):
            if not _is_member(value, keys):
                yield place, "dossier.reference-unresolved"
    for place, value in _values(entry, _ENTRIES.get(section, _NOWHERE)):
        if (section, value) not in keys:
            yield place, "dossier.reference-unresolved"
    if section == "tasks" and "about" in entry:
        about = entry["about"]
        named = sum((other, about) in keys for other in SECTIONS) + (about == PERSON)
        if named != 1:
            yield (
                ["about"],
                "dossier.reference-ambiguous" if named else "dossier.reference-unresolved",
            )


def _cycles(sound: Sound) -> Iterator[Fault]:
    for section, path in _ENTRIES.items():
        field = path[0]
        named = {entry["key"]: entry.get(field) for entry in sound.get(section, {}).values()}
        safe: set[str] = set()
        for index, entry in sound.get(section, {}).items():
            if entry["key"] not in safe and _returns(entry["key"], named, safe):
                place = pointer((section, index, field))
                yield Fault(issue("dossier.reference-cycle", place), (section, entry["key"]))


def _returns(key: str, named: Mapping[str, str | None], safe: set[str]) -> bool:
    """Tell whether following the names from a key comes back to it; what does not is safe."""
    seen: list[str] = []
    at: str | None = key
    while at is not None and at not in safe and at not in seen:
        seen.append(at)
        at = named.get(at)
    if at is None or at in safe:
        safe.update(seen)
    return at == key


def _values(source: Any, path: Path) -> Iterator[tuple[list[str | int], str]]:
    """Give what stands at a path of names, where ``*`` goes through a list."""
    if not path:
        yield [], source
    elif path[0] == "*":
        for index, child in enumerate(source):
            yield from (([index, *place], value) for place, value in _values(child, path[1:]))
    elif path[0] in source:
        found = _values(source[path[0]], path[1:])
        yield from (([path[0], *place], value) for place, value in found)


def _keys(sound: Sound, known: frozenset[EntryName]) -> frozenset[EntryName]:
    stated = ((section, entry["key"]) for section in sound for entry in sound[section].values())
    return known | frozenset(stated)


def _is_member(value: str, keys: frozenset[EntryName]) -> bool:
    return value == PERSON or ("circle", value) in keys


def _without(source: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if len(path) == 1:
        return {name: value for name, value in source.items() if name != path[0]}
    return {**source, path[0]: _without(source[path[0]], path[1:])}
