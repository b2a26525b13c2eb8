"""A dossier is suspended, closed or reopened: the acts on its state.

Over FHIR, the native form and the command alike; each is decided anew when somebody wrote to the
dossier meanwhile. The closed dossier stays closed to pushes (``dossier.closed``).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from passerelle.dossiers.exchange import act_plan
from passerelle.dossiers.exchange.act_plan import ActReceipt, Planned
from passerelle.dossiers.exchange.dossier_record import read_natively, resources_of
from passerelle.dossiers.exchange.reception import matches
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import PreconditionFailed, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.mappers.native import dossier_acts
from passerelle.mappers.native.dossier import PERSON, Dossier
from passerelle.mappers.native.dossier_acts import Act, Closing
from passerelle.mappers.native.dossier_reading import reading
from passerelle.mappers.resources.acts_provenance import Author
from passerelle.store.caller import Caller


class Asked(NamedTuple):
    """What is asked of a dossier: by whom (a key of the circle, or ``person``), when; None: now.

    ``closing`` is what a closure says.
    """

    act: Act
    by: str
    at: str | None = None
    closing: Closing | None = None
    if_match: str | None = None
    dry_run: bool = False


def _close(dossier: Dossier, asked: Asked, at: str) -> Dossier:
    assert asked.closing is not None
    return dossier_acts.closed(dossier, asked.closing, asked.by, at, stated=asked.at is not None)


CHANGES: Mapping[Act, Callable[[Dossier, Asked, str], Dossier]] = {
    "suspend": lambda dossier, _, at: dossier_acts.suspended(dossier, at),
    "close": _close,
    "reopen": lambda dossier, _, at: dossier_acts.reopened(dossier, at),
}
"""Act to what it makes of a dossier."""


async def act(gateway: Gateway, caller: Caller, tag: str, asked: Asked) -> ActReceipt:
    """Do an act on a dossier (``system|value``), or tell what it would do.

    Raises NotFound, PreconditionFailed (If-Match), Conflict (the state does not admit it),
    Unprocessable (``by`` is no member; open entries without destiny; a moment that cannot be).
    """

    async def attempt() -> ActReceipt:
        there = await act_plan.standing(gateway, caller, tag)
        dossier = there.dossier
        held = asked.if_match
        if held is not None and not matches(held, there.record, dossier):
            raise PreconditionFailed(issue("dossier.version-conflict"))
        if asked.by != PERSON and dossier.entry("circle", asked.by) is None:
            raise Unprocessable(issue("act.by-nobody", "/by"))
        at = asked.at or dump_instant(gateway.clock())
        after = CHANGES[asked.act](dossier, asked, at)
        planned = await act_plan.plan(gateway, caller, there, after)
        key = Key("Provenance", gateway.new_id())
        author = author_of(planned, asked.by, at)
        trace = act_plan.trace(gateway, key, asked.act, author, act_plan.steps([planned]))
        return await act_plan.commit(
            gateway, caller, asked.act, [planned], trace, dry=asked.dry_run
        )

    return await settle(attempt)


def author_of(planned: Planned, by: str, at: str) -> Author:
    """Give the author of an act on a dossier."""
    before = planned.before
    return Author(act_plan.who(planned, by), before.record.tag, before.dossier.platform, at)


async def named_by(repository: Repository, key: Key, by: Resource) -> tuple[str, str]:
    """Give (dossier, member) that an EpisodeOfCare and a reference to who acts stand for.

    Raises NotFound and Gone, Unprocessable (no root of a dossier; the reference is nobody's).
    """
    gateway, caller = repository.gateway, repository.caller
    version = await repository.read(key)
    root = json_text.decode(version.body or b"{}")
    tags = root.get("meta", {}).get("tag", ())
    tag = next((one.get("code") for one in tags if one.get("system") == DOSSIER_TAG), None)
    there = None if tag is None else await act_plan.standing(gateway, caller, tag)
    if tag is None or there is None or there.record.root is None or there.record.root.key != key:
        raise Unprocessable(issue("act.of-no-dossier", "EpisodeOfCare.identifier"))
    return tag, member_of(there, by)


def member_of(there: act_plan.Standing, by: Resource) -> str:
    """Give the member of a dossier that a reference names. Raises Unprocessable."""
    with read_natively():
        found = reading(resources_of(there.record.versions))
        member = found.member(by)
    person = (found.root.get("patient") or found.team.get("subject") or {}).get("reference")
    if member is None or (member == PERSON and by.get("reference") != person):
        raise Unprocessable(issue("act.by-nobody", "Parameters.parameter"))
    return member
