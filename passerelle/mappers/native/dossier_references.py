"""References inside a native dossier: each resolves, none is ambiguous, none goes in a circle.

The form's own rules (``dossier.schema.json``): ``dossier_sections`` says where an entry names
another, and in which sections it may stand; a member reference may be ``person``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from passerelle.errors.rules import issue
from passerelle.mappers.native.dossier import PERSON, Entry, Path, place_of
from passerelle.mappers.native.dossier_faults import EntryName, Fault, pointer
from passerelle.mappers.native.dossier_sections import TABLE

Sound = dict[str, dict[int, Entry]]
"""The entries of right shape: section to index to entry."""


class Naming(NamedTuple):
    """One reference: the entry it stands in, its place, the entries that would answer it."""

    entry: EntryName
    place: tuple[str | int, ...]
    names: frozenset[EntryName]

    def fault(self) -> Fault:
        """Say that nothing answers."""
        return Fault(issue("dossier.reference-unresolved", pointer(self.place)), self.entry)


_ROOT: tuple[Path, ...] = (
    ("lead",),
    ("closure", "by"),
    ("person", "death", "declaredBy"),
    ("sharing", "informed", "by"),
)
"""Where member references stand outside the sections."""

ROOT = "dossier"


def check(sound: Sound, known: frozenset[EntryName]) -> list[Fault]:
    """Give the faults of reference; the entries at fault leave ``sound``, and what names them.

    ``known`` are the entries that the record has already.
    """
    naming = [found for section in sound for found in _named(section, sound[section])]
    keys = set(_keys(sound, known))
    faults = list(_ambiguous(sound, keys)) + list(_cycles(sound))
    faults += [found.fault() for found in naming if found.names.isdisjoint(keys)]
    named_by: dict[EntryName, list[Naming]] = {}
    for found in naming:
        for name in found.names:
            named_by.setdefault(name, []).append(found)
    refused: set[EntryName] = set()
    waiting = [fault.entry for fault in faults]
    while waiting:
        entry = waiting.pop()
        if entry is None or entry in refused:
            continue
        refused.add(entry)
        if entry not in known:
            keys.discard(entry)
            lost = [one for one in named_by.get(entry, ()) if one.names.isdisjoint(keys)]
            faults += [found.fault() for found in lost]
            waiting += [found.entry for found in lost]
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


def _named(section: str, entries: Mapping[int, Entry]) -> Iterator[Naming]:
    """Give every reference of a section that the person does not answer."""
    for index, entry in entries.items():
        own = (section, entry["key"])
        for named in TABLE[section].names:
            for place, value in _values(entry, named.path) if named.names_in(entry) else ():
                if not (named.person and value == PERSON):
                    names = frozenset((name, value) for name in named.sections)
                    yield Naming(own, (*place_of(section), index, *place), names)


def _ambiguous(sound: Sound, keys: set[EntryName]) -> Iterator[Fault]:
    """Find the names that several entries bear, where an entry of any section may be meant."""
    for section, entries in sound.items():
        for path, sections, person, _ in TABLE[section].names:
            if len(sections) == 1:
                continue
            for index, entry in entries.items():
                for place, value in _values(entry, path):
                    named = sum((name, value) in keys for name in sections)
                    if named + (person and value == PERSON) > 1:
                        at = pointer((*place_of(section), index, *place))
                        own = (section, entry["key"])
                        yield Fault(issue("dossier.reference-ambiguous", at), own)


def _cycles(sound: Sound) -> Iterator[Fault]:
    for section, entries in sound.items():
        field = TABLE[section].chain
        if field is None:
            continue
        named = {entry["key"]: entry.get(field) for entry in entries.values()}
        safe: set[str] = set()
        for index, entry in entries.items():
            if entry["key"] not in safe and _returns(entry["key"], named, safe):
                place = pointer((*place_of(section), index, field))
                yield Fault(issue("dossier.reference-cycle", place), (section, entry["key"]))


def _returns(key: str, named: Mapping[str, str | None], safe: set[str]) -> bool:
    """Tell whether following the names from a key comes back to it; what does not is safe."""
    seen: dict[str, None] = {}
    at: str | None = key
    while at is not None and at not in safe and at not in seen:
        seen[at] = None
        at = named.get(at)
    if at is None or at in safe:
        safe.update(seen)
    return at == key


def _values(source: Any, path: Path) -> Iterator[tuple[list[str | int], str]]:
    """Give what stands at a path of names (``dossier.Path``)."""
    if not path:
        yield [], source
    elif path[0].startswith("**"):
        yield from _values(source, path[1:])
        yield from _values(source, (path[0][2:], "*", *path))
    elif path[0] == "*":
        for index, child in enumerate(source):
            yield from (([index, *place], value) for place, value in _values(child, path[1:]))
    elif isinstance(source, Mapping) and path[0] in source:
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
