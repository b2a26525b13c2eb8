"""The way of every act on dossiers: what it changes and nothing else, in one unit with its trace.

A push says the root whole and the entries that it has; an act is made the same way, from the
dossier as it stands and from it as it is to be, and only what differs between the two is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from passerelle.dossiers import keeping
from passerelle.dossiers.exchange.dossier_record import (
    DossierRecord,
    read_natively,
    read_record,
    resources_of,
)
from passerelle.dossiers.exchange.push_endings import endings
from passerelle.dossiers.exchange.push_judgement import judge
from passerelle.dossiers.exchange.push_places import Places
from passerelle.dossiers.exchange.push_plan import Made, known_ids, make
from passerelle.dossiers.exchange.receipts_of_push import Receipt
from passerelle.dossiers.exchange.standing_ids import standing_ids
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.rights_columns import dossier_column
from passerelle.errors.refusals import Issue, NotFound, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key
from passerelle.mappers.native.dossier import PERSON, Dossier, dump, normal, with_entries
from passerelle.mappers.native.dossier_diff import Change, diff
from passerelle.mappers.native.dossier_form import parse
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_naming import member_references, naming
from passerelle.mappers.native.dossier_sections import BY_ENTRY, homes
from passerelle.mappers.resources.acts_provenance import Author, Step, to_fhir
from passerelle.mappers.resources.fhir_elements import Element
from passerelle.store.caller import Caller
from passerelle.store.contract import DossierExpectation, Put, Unit

NOWHERE = Places(b"{}")
"""An act has no body whose places could be named: its faults are the places of the form."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A dossier as the record holds it."""

    record: DossierRecord
    dossier: Dossier

    @property
    def expectation(self) -> DossierExpectation:
        """Give what the commit must find unchanged."""
        return DossierExpectation(dossier_column(self.record.tag), self.record.seq)


@dataclass(frozen=True, slots=True)
class Planned:
    """What an act makes of one dossier."""

    before: Standing
    after: Dossier
    made: tuple[Made, ...]
    present: tuple[Key, ...]
    issues: tuple[Issue, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Give what differs, as the native form says it."""
        return diff(self.before.dossier.content, self.after.content)


@dataclass(frozen=True, slots=True)
class ActReceipt:
    """What an act did, or would: the receipt of a push, and the difference in the native form.

    ``dossiers``: (name, changes) of each dossier that the act is about.
    """

    act: str
    receipt: Receipt
    status: str
    dossiers: tuple[tuple[str, tuple[Change, ...]], ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as it is answered."""
        told = [
            {"dossier": name, "changes": [change._asdict() for change in changes]}
            for name, changes in self.dossiers
        ]
        return {**self.receipt.as_json(), "act": self.act, "status": self.status, "dossiers": told}


async def standing(gateway: Gateway, caller: Caller, tag: str) -> Standing:
    """Read a dossier (``system|value``). Raises NotFound, Conflict (it cannot be said natively)."""
    record = await read_record(gateway, caller, tag)
    if record.root is None:
        raise NotFound(issue("dossier.not-found"))
    with read_natively():
        return Standing(record, from_fhir(resources_of(record.versions), None))


async def plan(gateway: Gateway, caller: Caller, before: Standing, after: Dossier) -> Planned:
    """Plan what makes ``after`` of a dossier. Raises Unprocessable when that is no sound form."""
    old, new = before.dossier, _narrowed(after, before.dossier)
    said = parse(dump(new), known=old.keys()).issues
    if any(keeping.is_grave(one) for one in said):
        raise Unprocessable(*said)
    if after == old:
        return Planned(before, after, (), (), ())
    record, known, held = before.record, old.keys(), homes(old)
    ids = standing_ids(record, new, gateway.base_url) | await known_ids(gateway, caller, new)
    made = await make(gateway, caller, new, ids, known, (), held)
    made += endings(gateway, record.tagged, naming(new, ids), made)
    as_is = await make(gateway, caller, _narrowed(old, after), ids, known, (), held)
    stands = {one.put.draft.key: one.resource for one in as_is}
    changed = [one for one in made if stands.get(one.put.draft.key) != one.resource]
    judged = await judge(gateway, caller, changed, NOWHERE, strict=True)
    kept = (replace(one, put=_beside(one)) for one in judged.kept)
    return Planned(before, after, tuple(kept), judged.present, judged.issues)


def who(planned: Planned, by: str) -> Element:
    """Give the reference to the member that acts, or the person. Raises Unprocessable."""
    dossier, root = planned.before.dossier, planned.before.record.root
    if by == PERSON and root is not None:
        found = json_text.decode(root.body or b"{}")
        person: Element = found.get("patient") or found.get("subject") or {}
        return {"reference": person.get("reference")}
    ids = standing_ids(planned.before.record, dossier, "")
    references = member_references(dossier, naming(dossier, ids)).references
    if by not in references:
        raise Unprocessable(issue("act.by-nobody", "/by"))
    return dict(references[by])


def steps(planned: Sequence[Planned]) -> list[Step]:
    """Give what the plans write, each with the version before it."""
    made = (one for each in planned for one in each.made)
    return [Step(one.put.draft.key, v := _version(one), v + 1) for one in made]


def trace(gateway: Gateway, key: Key, act: str, author: Author, written: Sequence[Step]) -> Put:
    """Give the write of the Provenance of an act."""
    recorded = dump_instant(gateway.clock())
    resource = to_fhir(key.id, act, author, written, recorded=recorded)
    return Put(keeping.draft(key, resource, registry=gateway.store.parameters.registry))


async def commit(
    gateway: Gateway, caller: Caller, act: str, planned: Sequence[Planned], trace: Put, *, dry: bool
) -> ActReceipt:
    """Write the plans of an act with its trace, all or nothing; the first is the one it names.

    Nothing is written when nothing changes, or ``dry``. Raises Stale, Conflict.
    """
    first = planned[0]
    made = [one for each in planned for one in each.made]
    etag = first.before.record.etag
    entries = [one.receipt_unwritten() for one in made if one.role == "primary"]
    if made and not dry:
        unit = Unit(
            writes=(*(one.put for one in made), trace),
            present=tuple(dict.fromkeys(key for each in planned for key in each.present)),
            dossiers=tuple(each.before.expectation for each in planned),
        )
        done = await gateway.store.commit(unit, caller)
        pairs = zip(made, done, strict=False)
        entries = [one.receipt(outcome) for one, outcome in pairs if one.role == "primary"]
        etag = (await read_record(gateway, caller, first.before.record.tag)).etag
    receipt = Receipt(
        dossier=first.before.record.tag,
        etag=etag,
        status=200,
        identity=str(first.after.content["person"]["identity"]["status"]),
        entries=tuple(entries),
        issues=tuple(said for each in planned for said in each.issues),
        dry_run=dry,
    )
    told = tuple((each.before.record.tag, each.changes) for each in planned)
    return ActReceipt(act, receipt, str(first.after.content["status"]), told)


def _narrowed(dossier: Dossier, other: Dossier) -> Dossier:
    """Give a dossier with those entries of their own alone that differ from the other's."""
    content: dict[str, Any] = dict(dossier.content)
    for name in BY_ENTRY:
        there = {entry["key"]: entry for entry in other.section(name)}
        differing = [one for one in dossier.section(name) if there.get(one["key"]) != one]
        content = with_entries(content, name, differing)
    return normal(content)


def _version(one: Made) -> int:
    return one.head.version if one.head is not None else 0


def _beside(one: Made) -> Put:
    return replace(one.put, beside=_version(one))
