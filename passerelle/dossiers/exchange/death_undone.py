"""A declaration of death is cancelled: exactly what it changed is as it was before.

The log keeps every version, and the Provenance of the declaration says which ones it wrote and
which stood before. What somebody changed since is named, and then nothing is undone.
"""

from passerelle.dossiers import keeping
from passerelle.dossiers.exchange import act_plan
from passerelle.dossiers.exchange.act_plan import ActReceipt, Planned, Standing
from passerelle.dossiers.exchange.acting import author_of
from passerelle.dossiers.exchange.death import declaration_of, journal, patient_of, tags_of
from passerelle.dossiers.exchange.dossier_record import (
    read_natively,
    resource_of,
    resources_of,
)
from passerelle.dossiers.exchange.push_plan import Made
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import Conflict, NotFound, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key
from passerelle.mappers.native.dossier import PERSON
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_reading import reading
from passerelle.mappers.resources.acts_provenance import Step, steps_of
from passerelle.store.caller import Caller
from passerelle.store.contract import Put, Version

SECTIONS_OF = {
    "Patient": PERSON,
    "EpisodeOfCare": "dossier",
    "Appointment": "appointments",
    "Task": "tasks",
    "Flag": "alerts",
}
"""Type to the section of the entry that it is, of what a declaration writes."""


async def cancel(
    gateway: Gateway, caller: Caller, tag: str, by: str, at: str | None, *, dry_run: bool
) -> ActReceipt:
    """Undo the declaration of the death of the person of a dossier (``system|value``).

    Raises NotFound, Conflict (none was declared here; what it wrote was changed since, each by
    name), Unprocessable (``by`` is no member).
    """

    async def attempt() -> ActReceipt:
        there = await act_plan.standing(gateway, caller, tag)
        if by != PERSON and there.dossier.entry("circle", by) is None:
            raise Unprocessable(issue("act.by-nobody", "/by"))
        patient = patient_of(there)
        declared = await declaration_of(gateway, caller, patient.key)
        if declared is None:
            raise Conflict(issue("act.death-not-declared"))
        with read_natively():
            steps = steps_of(declared)
        heads = await _unchanged(gateway, caller, steps)
        before = await _before(gateway, caller, steps)
        planned = []
        for each in [there, *await _others(gateway, caller, there, patient)]:
            one = _planned(gateway, each, heads, before)
            written = {made.put.draft.key for made in one.made}
            heads = {key: head for key, head in heads.items() if key not in written}
            planned.append(one)
        moment = at or dump_instant(gateway.clock())
        author = author_of(planned[0], by, moment)
        key = journal(patient.key)
        trace = act_plan.trace(gateway, key, "cancel-death", author, act_plan.steps(planned))
        return await act_plan.commit(gateway, caller, "cancel-death", planned, trace, dry=dry_run)

    return await settle(attempt)


async def _others(
    gateway: Gateway, caller: Caller, there: Standing, patient: Version
) -> list[Standing]:
    """Give the other dossiers of the person, whatever their state: the declaration closed some."""
    found = []
    for tag in tags_of(patient):
        if tag != there.record.tag:
            try:
                found.append(await act_plan.standing(gateway, caller, tag))
            except NotFound:
                continue
    return found


async def _unchanged(gateway: Gateway, caller: Caller, steps: list[Step]) -> dict[Key, Version]:
    """Give the heads of what was written. Raises Conflict, naming all that changed since."""
    heads = dict(await gateway.store.read_many([step.key for step in steps], caller))
    changed = [
        issue(
            "act.changed-since",
            str(step.key),
            reference=step.key,
            then=step.after,
            now=heads[step.key].version if step.key in heads else 0,
        )
        for step in steps
        if step.key not in heads or heads[step.key].version != step.after
    ]
    if changed:
        raise Conflict(*changed)
    return heads


async def _before(gateway: Gateway, caller: Caller, steps: list[Step]) -> dict[Key, Version]:
    """Give the versions that stood before.

    Raises Conflict where there was nothing: a root that the declaration itself had to make.
    """
    found = {}
    for step in steps:
        version = await gateway.store.vread(step.key, step.before, caller) if step.before else None
        if version is None or version.body is None:
            raise Conflict(issue("dossier.record-unreadable", str(step.key)))
        found[step.key] = version
    return found


def _planned(
    gateway: Gateway, there: Standing, heads: dict[Key, Version], before: dict[Key, Version]
) -> Planned:
    """Plan what gives one dossier back; the person comes back with the first."""
    registry = gateway.store.parameters.registry
    with read_natively():
        names = reading(resources_of(there.record.versions))
        restored = [before.get(one.key, one) for one in there.record.versions]
        after = from_fhir(resources_of(restored), None)
    made = []
    for version in there.record.versions:
        key = version.key
        if key not in heads or key not in before:
            continue
        resource = resource_of(before[key])
        draft = keeping.draft(key, resource, registry=registry, blob=before[key].blob)
        put = Put(draft, beside=heads[key].version)
        section = SECTIONS_OF.get(key.type)
        role = "supporting" if section is None else "primary"
        native = names.key_of(section or "", resource) or there.dossier.value
        made.append(Made(section or "", native, role, resource, put, heads[key], None))
    return Planned(there, after, tuple(made), (), ())
