"""Deleting: what refers to the resource decides whether it may, and what goes with it.

https://hl7.org/fhir/R4/http.html#delete and #cond-delete . Decided on what the record holds now;
the commit asks again (``Unit.unreferenced``), so that of a deletion and a reference that is written
at the same time one is refused.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from passerelle.dossiers import packaged
from passerelle.dossiers.conditions import condition, expect
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import Conflict, Issue, NotSupported, PreconditionFailed
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Delete, Expectation, Outcome, Unit
from passerelle.store.referring import Referred

TOLD_MAX = 100
"""As many of those that refer to a resource are counted for a refusal."""


class Deletion(NamedTuple):
    """What goes along by cascade, what the commit has to find unreferenced, what is refused."""

    cascaded: tuple[Key, ...] = ()
    guarded: tuple[Referred, ...] = ()
    refused: Mapping[Key, Issue] = {}


async def decide(
    gateway: Gateway, keys: Iterable[Key], *, written: Collection[Key] = ()
) -> Deletion:
    """Decide the deletion of some resources beside others that the same commit writes.

    Who refers is asked as the system: a refusal tells only of how many of which type.
    """
    if gateway.writing.delete_referenced == "allow":
        return Deletion()
    gone = list(dict.fromkeys(keys))
    there = await gateway.store.living(gone, SYSTEM)
    outside = await _outside(gateway, [key for key in gone if key in there], {*gone, *written})
    if not outside:
        return Deletion(guarded=tuple(_referred(gateway, key) for key in gone))
    if gateway.writing.delete_referenced == "cascade":
        return await _cascade(gateway, gone, there, set(written))
    refused: dict[Key, Issue] = {}
    for key in gone:
        found = await _outside(gateway, [key], {*gone, *written}) if key in there else ()
        if found:
            refused[key] = issue("reference.still-referred", key.type, what=counted(found))
    return Deletion(refused=refused)


async def _cascade(
    gateway: Gateway, gone: list[Key], there: Collection[Key], written: set[Key]
) -> Deletion:
    """Gather all that refers to what goes, and what refers to that, up to the bound."""
    limit = gateway.writing.deleted_max
    cascaded: dict[Key, None] = {}
    front: list[Key] = [key for key in gone if key in there]
    while front:
        known = {*gone, *written, *cascaded}
        front = list(await _outside(gateway, front, known, at_most=limit + 1))
        cascaded.update(dict.fromkeys(front))
        if len(cascaded) > limit:
            said = issue("reference.cascade-too-large", gone[0].type, limit=limit)
            return Deletion(refused=dict.fromkeys(gone, said))
    guarded = tuple(_referred(gateway, key) for key in (*gone, *cascaded))
    return Deletion(tuple(cascaded), guarded)


async def _outside(
    gateway: Gateway, keys: Iterable[Key], known: Collection[Key], *, at_most: int = TOLD_MAX
) -> tuple[Key, ...]:
    """Give some of those that refer to any of those keys and are not known already."""
    referred = [_referred(gateway, key) for key in keys]
    if not referred:
        return ()
    limit = len(known) + at_most
    found = await gateway.store.referrers(referred, SYSTEM, limit=limit)
    return tuple(key for key in found if key not in known)[:at_most]


def _referred(gateway: Gateway, key: Key) -> Referred:
    return Referred(key, f"{gateway.base_url}/{key}")


def counted(keys: Collection[Key]) -> str:
    """Say how many of which types, never which: ``3 Observation, 1 Encounter``."""
    counts = sorted(Counter(key.type for key in keys).items())
    more = "≥ " if len(keys) >= TOLD_MAX else ""
    return ", ".join(f"{more}{count} {type_}" for type_, count in counts)


async def delete(
    gateway: Gateway, caller: Caller, key: Key, *, if_match: int | None = None
) -> Outcome:
    """Delete a resource; deleting again is no error.

    Raises PreconditionFailed (``if_match``), Conflict when something refers to it.
    """

    async def attempt() -> Outcome:
        return (await _commit(gateway, caller, (key,), if_match))[0]

    return await settle(attempt)


async def delete_matching(
    gateway: Gateway, caller: Caller, type: str, criteria: str, *, if_match: int | None = None
) -> tuple[Outcome, ...]:
    """Delete what the criteria designate, all or nothing; none is no error.

    Raises NotSupported when that is off, Invalid, PreconditionFailed (several match and one is
    allowed, or more than may go at once; ``if_match``), Conflict.
    """
    query = await condition(gateway, caller, type, criteria)

    async def attempt() -> tuple[Outcome, ...]:
        ids = await designated(gateway, caller, type, criteria)
        if if_match is not None and len(ids) != 1:
            raise PreconditionFailed(issue("record.version-conflict"))
        keys = tuple(Key(type, id_) for id_ in ids)
        if not keys:
            return ()
        return await _commit(gateway, caller, keys, if_match, expect(query, ids))

    return await settle(attempt)


async def designated(gateway: Gateway, caller: Caller, type: str, criteria: str) -> tuple[str, ...]:
    """Give the ids that a conditional delete is about. Raises as ``delete_matching``."""
    mode = gateway.writing.conditional_delete
    if mode == "off":
        raise NotSupported(issue("record.conditional-delete-off"))
    limit = gateway.writing.deleted_max if mode == "multiple" else 1
    query = await condition(gateway, caller, type, criteria)
    ids = await gateway.store.matching(query, caller, limit=limit + 1)
    if len(ids) > limit:
        if mode == "single":
            raise PreconditionFailed(issue("record.several-match", type))
        raise PreconditionFailed(issue("record.too-many-match", type, limit=limit))
    return ids


async def _demand_version(gateway: Gateway, caller: Caller, key: Key, if_match: int | None) -> None:
    """Raise PreconditionFailed when the version is another: that weighs more than a refusal."""
    if if_match is not None:
        head = await gateway.store.read(key, caller)
        if head is None or head.body is None or head.version != if_match:
            raise PreconditionFailed(issue("record.version-conflict"))


async def _commit(
    gateway: Gateway,
    caller: Caller,
    keys: tuple[Key, ...],
    if_match: int | None,
    *expectations: Expectation,
) -> tuple[Outcome, ...]:
    """Delete keys and what goes with them in one unit; give the outcomes of the keys."""
    decided = await decide(gateway, keys)
    if decided.refused:
        await _demand_version(gateway, caller, keys[0], if_match)
        raise Conflict(*dict.fromkeys(decided.refused.values()))
    writes = tuple(Delete(key, if_match) for key in keys) + tuple(map(Delete, decided.cascaded))
    await packaged.demand(gateway, writes)
    unit = Unit(
        writes=writes,
        expectations=expectations,
        unreferenced=decided.guarded,
    )
    try:
        outcomes = await gateway.store.commit(unit, caller)
    except PreconditionFailed as refusal:
        raise PreconditionFailed(
            *(replace(said, expression=None) for said in refusal.issues)
        ) from None
    return outcomes[: len(keys)]
