"""Two dossiers compared, or two states of one, or what is sent with what is there."""

from collections.abc import Mapping
from typing import Any

from passerelle.dossiers.exchange.dossier_past import past, without_bytes_of
from passerelle.dossiers.exchange.dossier_record import read_record
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid, NotFound
from passerelle.errors.rules import issue
from passerelle.mappers.native.dossier import normal
from passerelle.mappers.native.dossier_diff import Change, diff
from passerelle.store.caller import Caller

FORMAT = "dossier/1"
SIDES = ("before", "after")


async def compared(
    gateway: Gateway, caller: Caller, asked: Mapping[str, Any]
) -> tuple[Change, ...]:
    """Give what makes ``after`` of ``before``.

    Each is a dossier in the native form, or ``{dossier, version}`` or ``{dossier, at}``; without
    ``before`` it is what is there of the other, without ``after`` how it is now. Raises Invalid,
    NotFound.
    """
    if not isinstance(asked, Mapping) or not set(asked) <= set(SIDES) or not asked:
        raise Invalid(issue("dossier.comparison-malformed"))
    sides = dict(asked)
    other = sides.get("before") or sides.get("after")
    for side in SIDES:
        sides.setdefault(side, {"dossier": _name(other, side)})
    before, after = [await _content(gateway, caller, sides[side], side) for side in SIDES]
    return diff(before, after)


def _name(other: Any, side: str) -> str:
    """Give the name of the dossier that one side is, for the other side."""
    held = other if isinstance(other, Mapping) else {}
    if held.get("format") == FORMAT:
        found = held.get("id")
        parts = found if isinstance(found, Mapping) else {}
        return f"{parts.get('system')}|{parts.get('value')}"
    name = held.get("dossier")
    if not isinstance(name, str):
        raise Invalid(issue("dossier.comparison-malformed", f"/{side}"))
    return name


async def _content(gateway: Gateway, caller: Caller, asked: Any, side: str) -> Mapping[str, Any]:
    """Give one side in the native form, its files without their bytes."""
    if isinstance(asked, Mapping) and asked.get("format") == FORMAT:
        return dict(_light(normal(asked).content))
    if not isinstance(asked, Mapping) or not set(asked) <= {"dossier", "version", "at"}:
        raise Invalid(issue("dossier.comparison-malformed", f"/{side}"))
    tag, states = _name(asked, side), [asked[name] for name in ("version", "at") if name in asked]
    if len(states) > 1 or not all(isinstance(state, str) for state in states):
        raise Invalid(issue("dossier.comparison-malformed", f"/{side}"))
    if states:
        record = (await past(gateway, caller, tag, states[0], f"/{side}")).record
    else:
        record = await read_record(gateway, caller, tag)
    found = without_bytes_of(record)
    if found is None:
        raise NotFound(issue("dossier.not-found", f"/{side}"))
    return dict(_light(found.content))


def _light(value: Any) -> Any:
    """Leave out where the bytes of files are: two files are the same by their digest and size."""
    if isinstance(value, list):
        return [_light(inner) for inner in value]
    if not isinstance(value, Mapping):
        return value
    is_file = "mimeType" in value
    return {
        name: _light(inner)
        for name, inner in value.items()
        if not (is_file and name in ("data", "url"))
    }
