"""What a push makes of the dossier that the record holds.

A section that is absent, and an entry that is absent, stay as they are; an entry replaces the one
of its key. In a section sent whole (``complete``) an absent entry is ended, never removed. The
root, the person and the managing structure are always sent whole.
"""

from passerelle.mappers.native.dossier import (
    BESIDE,
    SECTIONS,
    Dossier,
    Entry,
    normal,
    value_in,
    with_entries,
    with_value,
)
from passerelle.mappers.native.dossier_sections import TABLE


def merge(current: Dossier | None, pushed: Dossier) -> Dossier:
    """Give the dossier after a push: current entries first in their order, new ones after.

    Laws: ``merge(merge(c, p), p) == merge(c, p)``; the order of pushes that say the same of the
    root and bear different sections does not matter. ``complete`` is not kept: it is no state.
    """
    merged = {name: value for name, value in pushed.content.items() if name != "complete"}
    held = current.content if current is not None else {}
    for place in BESIDE:
        if value_in(merged, place) is None and value_in(held, place) is not None:
            merged = with_value(merged, place, value_in(held, place))
    for name in SECTIONS:
        merged = with_entries(merged, name, _section(name, current, pushed))
    return normal(merged)


def _section(name: str, current: Dossier | None, pushed: Dossier) -> list[Entry]:
    sent = {entry["key"]: entry for entry in pushed.section(name)}
    held = current.section(name) if current is not None else ()
    end = TABLE[name].end if name in pushed.complete else None
    updated_at = str(pushed.content["updatedAt"])
    kept = [sent.get(entry["key"]) or (end(entry, updated_at) if end else entry) for entry in held]
    keys = {entry["key"] for entry in held}
    return kept + [entry for key, entry in sent.items() if key not in keys]
