"""What differs between two dossiers in the native form, as a person would say it.

Entries are matched by their ``key``, whatever their order; inside an entry each difference has its
JSON Pointer (https://www.rfc-editor.org/rfc/rfc6901). Pure: decoded JSON in, changes out.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

IGNORED = frozenset({"version", "updatedAt", "complete"})
"""Members that say something of a push and nothing of the dossier."""

CHANGES_MAX = 10_000
"""More are not listed: beyond, two dossiers have nothing in common worth reading."""

_MISSING = object()


class Change(NamedTuple):
    """One difference. ``key`` names the entry of a section; ``path`` is a pointer inside it.

    ``path`` is empty when the whole entry, or the whole section, was added or removed.
    """

    section: str
    key: str | None
    kind: Literal["added", "removed", "changed"]
    path: str
    before: Any = None
    after: Any = None


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Give what makes ``after`` of ``before``, by section in the order they are met."""
    before, after = _normal(before), _normal(after)
    changes: list[Change] = []
    for section in (*before, *(name for name in after if name not in before)):
        if section in IGNORED:
            continue
        changes += _section(section, before.get(section, _MISSING), after.get(section, _MISSING))
        if len(changes) > CHANGES_MAX:
            break
    return tuple(changes[:CHANGES_MAX])


def _normal(value: Any) -> Any:
    """Take out members that are empty lists or objects: they say the same as their absence."""
    if isinstance(value, list):
        return [_normal(inner) for inner in value]
    if isinstance(value, Mapping):
        members = {name: _normal(inner) for name, inner in value.items()}
        return {name: inner for name, inner in members.items() if inner not in ([], {})}
    return value


def _section(section: str, before: Any, after: Any) -> Iterator[Change]:
    """Compare one member of the dossier: a list of keyed entries, or anything else."""
    old, new = _keyed(before), _keyed(after)
    if old is None or new is None:
        yield from _values(section, None, "", before, after)
        return
    for key in (*old, *(name for name in new if name not in old)):
        yield from _values(section, key, "", old.get(key, _MISSING), new.get(key, _MISSING))


def _keyed(value: Any) -> dict[str, Any] | None:
    """Give the entries of a section by their keys; None when it is no list of keyed entries.

    An absent section is one without entries.
    """
    if value is _MISSING:
        return {}
    if not isinstance(value, list):
        return None
    entries = {
        entry["key"]: {name: inner for name, inner in entry.items() if name != "key"}
        for entry in value
        if isinstance(entry, dict) and isinstance(entry.get("key"), str)
    }
    return entries if len(entries) == len(value) else None


def _values(section: str, key: str | None, path: str, before: Any, after: Any) -> Iterator[Change]:
    """Compare two values at a place: objects member by member, lists of one length by position."""
    if before is _MISSING and after is _MISSING:
        return
    if before is _MISSING:
        yield Change(section, key, "added", path, None, after)
    elif after is _MISSING:
        yield Change(section, key, "removed", path, before, None)
    elif isinstance(before, dict) and isinstance(after, dict):
        for name in (*before, *(other for other in after if other not in before)):
            inner = f"{path}/{_escaped(name)}"
            old, new = before.get(name, _MISSING), after.get(name, _MISSING)
            yield from _values(section, key, inner, old, new)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _values(section, key, f"{path}/{position}", old, new)
    elif not _same(before, after):
        yield Change(section, key, "changed", path, before, after)


def _same(before: Any, after: Any) -> bool:
    """Tell whether two values are equal, where true is not 1."""
    return bool(before == after and isinstance(before, bool) == isinstance(after, bool))


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
