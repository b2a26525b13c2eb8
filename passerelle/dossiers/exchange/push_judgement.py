"""Which entries of a push may be kept: what they become is sound, and what it refers to is there.

https://hl7.org/fhir/R4/references.html#literal , by the same policy as every other write
(docs/decisions/2611-references-may-come-later.md). What an entry that is refused would have made is
not there: under ``enforce`` those that refer to it are refused along.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from passerelle.dossiers.exchange.push_places import ROOTS, Places
from passerelle.dossiers.exchange.push_plan import Made, check_resources
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.turns import give_way
from passerelle.dossiers.written_references import MISSING, missing, references_of
from passerelle.errors.refusals import Issue, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.reference_places import Reference
from passerelle.fhir.resource import Key
from passerelle.store.caller import Caller

Entry = tuple[str, str]
"""Section and key."""


class Judged(NamedTuple):
    """What is to be written, the entries that are not, what must stay there, what is to be said."""

    kept: list[Made]
    refused: frozenset[Entry]
    present: tuple[Key, ...]
    issues: tuple[Issue, ...]


async def judge(
    gateway: Gateway, caller: Caller, made: list[Made], places: Places, *, strict: bool
) -> Judged:
    """Judge all that a push makes.

    Raises Unprocessable for a fault of root, person or managing, and for any fault when ``strict``.
    """
    faulty, faults = await check_resources(made, gateway.ins, places)
    unsound = {(one.section, one.key) for one in faulty}
    found = await _references(gateway, made)
    keys = {one.put.draft.key for one in made}
    outside = [each for some in found.values() for each in some]
    gone, present = await missing(gateway, caller, outside, made=keys)
    along = gateway.writing.references == "enforce"
    lost = _lost(made, found, unsound, gone, along=along)
    said = (*faults, *_told(gateway, lost, places))
    refused = unsound | lost if along else unsound
    if refused and (strict or any(section in ROOTS for section, _ in refused)):
        raise Unprocessable(*said)
    kept = [one for one in made if (one.section, one.key) not in refused]
    held = {each.key for one in kept for each in found[one.put.draft.key]}
    return Judged(kept, frozenset(refused), tuple(key for key in present if key in held), said)


async def _references(gateway: Gateway, made: list[Made]) -> dict[Key, tuple[Reference, ...]]:
    """Give the references of each resource, by its key; none without a policy."""
    found = {}
    for number, one in enumerate(made):
        await give_way(number)
        key = one.put.draft.key
        found[key] = references_of(gateway, key, one.resource)
    return found


def _lost(
    made: list[Made],
    found: Mapping[Key, tuple[Reference, ...]],
    unsound: Collection[Entry],
    gone: Iterable[Key],
    *,
    along: bool,
) -> set[Entry]:
    """Give the sound entries that refer to what is not there, or is not made by an unsound one.

    ``along``: these are refused, so that what only they would have made is not there either.
    """
    referrers: dict[Key, list[Entry]] = {}
    new: dict[Entry, list[Key]] = {}
    for one in made:
        entry, key = (one.section, one.key), one.put.draft.key
        if one.head is None or one.head.body is None:
            new.setdefault(entry, []).append(key)
        for each in found[key]:
            referrers.setdefault(each.key, []).append(entry)
    lost: set[Entry] = set()
    front = [*gone, *(key for entry in unsound for key in new.get(entry, ()))]
    while front:
        for entry in referrers.pop(front.pop(), ()):
            if entry in unsound or entry in lost:
                continue
            lost.add(entry)
            front += new.get(entry, ()) if along else ()
    return lost


def _told(gateway: Gateway, lost: Iterable[Entry], places: Places) -> list[Issue]:
    """Give an issue at each entry that refers to nothing."""
    rule = MISSING.get(gateway.writing.references)
    return [] if rule is None else [issue(rule, places.of(*entry)) for entry in sorted(lost)]
