"""What a push makes of the dossier that the record holds.

A section that is absent, and an entry that is absent, stay as they are; an entry replaces the one
of its key. In a section sent whole (``complete``) an absent entry is ended, never removed. The
root, the person and the managing structure are always sent whole.
"""

from collections.abc import Callable

from passerelle.mappers.native.dossier import SECTIONS, Dossier, Entry, normal
from passerelle.mappers.native.dossier_dates import ends_before


def merge(current: Dossier | None, pushed: Dossier) -> Dossier:
    """Give the dossier after a push: current entries first in their order, new ones after.

    Laws: ``merge(merge(c, p), p) == merge(c, p)``; the order of pushes that say the same of the
    root and bear different sections does not matter. ``complete`` is not kept: it is no state.
    """
    root = {
        name: value
        for name, value in pushed.content.items()
        if name not in SECTIONS and name != "complete"
    }
    return normal({**root, **{name: _section(name, current, pushed) for name in SECTIONS}})


def _section(name: str, current: Dossier | None, pushed: Dossier) -> list[Entry]:
    sent = {entry["key"]: entry for entry in pushed.section(name)}
    held = current.section(name) if current is not None else ()
    end = _ENDINGS[name] if name in pushed.complete else _as_it_is
    updated_at = str(pushed.content["updatedAt"])
    kept = [sent.get(entry["key"]) or end(entry, updated_at) for entry in held]
    keys = {entry["key"] for entry in held}
    return kept + [entry for key, entry in sent.items() if key not in keys]


def _as_it_is(entry: Entry, updated_at: str) -> Entry:
    return entry


def _leave(member: Entry, updated_at: str) -> Entry:
    """End the open periods of a member when the dossier was updated, not before they began."""
    return {
        **member,
        "periods": [
            period if "end" in period else {**period, "end": _end(period["start"], updated_at)}
            for period in member["periods"]
        ],
    }


def _end(start: str, updated_at: str) -> str:
    return start if ends_before(start, updated_at) else updated_at


def _withdraw(entry: Entry, updated_at: str) -> Entry:
    return {**entry, "status": "entered-in-error"}


_ENDINGS: dict[str, Callable[[Entry, str], Entry]] = {
    "circle": _leave,
    "documents": _withdraw,
    "appointments": _withdraw,
    "tasks": _withdraw,
}
"""How an entry that is gone from a section sent whole is ended."""
