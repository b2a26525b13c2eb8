"""What of a dossier is other than it was: its entries that are new or changed, and what is gone."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from passerelle.mappers.native.dossier import SECTIONS, Dossier, Entry, with_entries


class Changed(NamedTuple):
    """The entries that differ, and those that are not there any more, by section and key."""

    entries: frozenset[tuple[str, str]]
    gone: tuple[tuple[str, str], ...]


def changed(before: Dossier | None, after: Dossier) -> Changed:
    """Compare two states of one dossier, entry by entry."""
    old = _entries(before) if before is not None else {}
    new = _entries(after)
    differing = frozenset(name for name, entry in new.items() if old.get(name) != entry)
    return Changed(differing, tuple(name for name in old if name not in new))


def only(dossier: Dossier, found: Changed) -> dict[str, Any]:
    """Give the form with its root, its person and those entries; ``removed`` names what is gone."""
    content: dict[str, Any] = dict(dossier.content)
    for section in SECTIONS:
        held = dossier.section(section)
        kept = [entry for entry in held if (section, entry["key"]) in found.entries]
        if len(kept) != len(held):
            content = with_entries(content, section, kept)
            if not kept and section != "circle":
                content = _without(content, section)
    if found.gone:
        content["removed"] = [{"section": section, "key": key} for section, key in found.gone]
    return content


def _entries(dossier: Dossier) -> Mapping[tuple[str, str], Entry]:
    return {
        (section, entry["key"]): entry for section in SECTIONS for entry in dossier.section(section)
    }


def _without(content: dict[str, Any], section: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != section or value}
