"""A death is declared: what it ends, over all open dossiers of the person on the platform.

https://hl7.org/fhir/R4/patient-definitions.html#Patient.deceased_x_ . One Provenance a person keeps
what the declaration wrote and what stood before (``death_undone`` reads it).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from passerelle.dossiers.exchange import act_plan
from passerelle.dossiers.exchange.act_plan import ActReceipt, Planned, Standing
from passerelle.dossiers.exchange.acting import author_of, member_of
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import Conflict, NotFound, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.urls import DOSSIER_TAG, PASSERELLE
from passerelle.mappers.native import dossier_acts
from passerelle.mappers.native.dossier import PERSON
from passerelle.mappers.native.dossier_acts import OPEN
from passerelle.mappers.native.dossier_naming import own_uuid
from passerelle.mappers.resources.acts_provenance import act_of
from passerelle.store.caller import Caller
from passerelle.store.contract import Version

DOSSIERS_MAX = 50
"""Dossiers of one person that one act is about."""

FACTS = ("date", "place", "placeCode", "source")
"""What is declared; who did so and when is said beside."""


class Declaration(NamedTuple):
    """What is declared: the facts of the form's ``person.death``, by whom, when; None: now.

    ``close``: the open dossiers of the person are closed too.
    """

    by: str
    facts: dict[str, str]
    at: str | None = None
    close: bool = False
    dry_run: bool = False


async def declare(gateway: Gateway, caller: Caller, tag: str, asked: Declaration) -> ActReceipt:
    """Declare the death of the person of a dossier (``system|value``), or tell what that ends.

    Raises NotFound, Conflict (another death is declared; this one had its effects already),
    Unprocessable (``by`` is no member; what is declared cannot be).
    """

    async def attempt() -> ActReceipt:
        there = await act_plan.standing(gateway, caller, tag)
        if asked.by == PERSON or there.dossier.entry("circle", asked.by) is None:
            raise Unprocessable(issue("act.by-nobody", "/by"))
        at = asked.at or dump_instant(gateway.clock())
        patient = patient_of(there)
        earlier = await declaration_of(gateway, caller, patient.key)
        planned = [
            await _planned(gateway, caller, each, asked, at, first=each is there)
            for each in await dossiers_of(gateway, caller, there)
        ]
        if earlier is not None and any(each.made for each in planned):
            raise Conflict(issue("act.death-settled"))
        author = author_of(planned[0], asked.by, at)
        key = journal(patient.key)
        trace = act_plan.trace(gateway, key, "declare-death", author, act_plan.steps(planned))
        return await act_plan.commit(
            gateway, caller, "declare-death", planned, trace, dry=asked.dry_run
        )

    return await settle(attempt)


async def _planned(
    gateway: Gateway, caller: Caller, there: Standing, asked: Declaration, at: str, *, first: bool
) -> Planned:
    """Plan what the death makes of one dossier; the person is written with the one named."""
    dossier = there.dossier
    held = dossier.content["person"].get("death", {})
    is_dead = bool(held) and held.get("source") != "cancelled"
    if is_dead and first and {n: held[n] for n in FACTS if n in held} != asked.facts:
        raise Conflict(issue("act.death-known", "/person/death"))
    by = asked.by if first else None
    after = dossier
    if first or dossier.content["status"] in OPEN:
        after = dossier_acts.bereaved(dossier, by, at, close=asked.close)
    if first and not is_dead:
        death = {**asked.facts, "declaredAt": at, "declaredBy": asked.by}
        after = dossier_acts.with_death(after, death)
    return await act_plan.plan(gateway, caller, there, after)


def patient_of(there: Standing) -> Version:
    """Give the Patient of a dossier, as the record holds it."""
    for version in there.record.shared + there.record.tagged:
        if version.key == _patient_key(there):
            return version
    raise Conflict(issue("dossier.record-unreadable"))


def _patient_key(there: Standing) -> Key:
    root = json_text.decode((there.record.root.body if there.record.root else None) or b"{}")
    reference = (root.get("patient") or root.get("subject") or {}).get("reference", "")
    return Key("Patient", reference.rpartition("/")[2])


async def dossiers_of(gateway: Gateway, caller: Caller, there: Standing) -> Sequence[Standing]:
    """Give a dossier, then the others of its Patient that can be read natively and are open.

    A Patient has the tag of each dossier that it was pushed with. Raises Unprocessable (too many).
    """
    patient = patient_of(there)
    others = [tag for tag in tags_of(patient) if tag != there.record.tag]
    if len(others) >= DOSSIERS_MAX:
        raise Unprocessable(issue("act.too-many-dossiers", limit=DOSSIERS_MAX))
    found = [there]
    for tag in others:
        try:
            each = await act_plan.standing(gateway, caller, tag)
        except NotFound:
            continue
        if each.dossier.content["status"] in OPEN and _patient_key(each) == patient.key:
            found.append(each)
    return found


def tags_of(version: Version) -> list[str]:
    """Give the names of the dossiers that a resource is tagged with."""
    meta = json_text.decode(version.body or b"{}").get("meta", {})
    tags = meta.get("tag", ())
    return [tag["code"] for tag in tags if tag.get("system") == DOSSIER_TAG and "code" in tag]


def journal(patient: Key) -> Key:
    """Give the key of the Provenance of the death of a person: one, with its history."""
    return Key("Provenance", str(own_uuid("Provenance", PASSERELLE + "/death", str(patient))))


async def declaration_of(gateway: Gateway, caller: Caller, patient: Key) -> Resource | None:
    """Give the Provenance of a death that was declared and not cancelled since."""
    version = await gateway.store.read(journal(patient), caller)
    if version is None or version.body is None:
        return None
    found: dict[str, Any] = json_text.decode(version.body)
    return found if act_of(found) == "declare-death" else None


async def named_by(repository: Repository, key: Key, by: Resource) -> tuple[str, str]:
    """Give (dossier, member) that a Patient and a reference to who acts stand for.

    The dossier is the first of the person's in which that reference is a member.
    Raises NotFound and Gone, Unprocessable (of no dossier; the reference is nobody's).
    """
    version = await repository.read(key)
    tags = tags_of(version)[:DOSSIERS_MAX]
    found = False
    for tag in tags:
        try:
            there = await act_plan.standing(repository.gateway, repository.caller, tag)
            found = found or _patient_key(there) == key
            if _patient_key(there) == key:
                return tag, member_of(there, by)
        except (NotFound, Unprocessable):
            continue
    if found:
        raise Unprocessable(issue("act.by-nobody", "Parameters.parameter"))
    raise Unprocessable(issue("act.of-no-dossier", "Patient.meta.tag"))
