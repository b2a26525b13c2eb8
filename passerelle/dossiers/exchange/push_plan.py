"""What a merged dossier becomes in the record: drafts beside what is there, with their faults."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from passerelle.dossiers import keeping
from passerelle.dossiers.claims import claim_of
from passerelle.dossiers.exchange.dossier_record import read_natively
from passerelle.dossiers.exchange.push_places import Places
from passerelle.dossiers.exchange.receipts_of_push import Action, EntryReceipt
from passerelle.dossiers.gateway import Gateway, InsPolicy
from passerelle.dossiers.turns import give_way
from passerelle.errors.refusals import Issue
from passerelle.fhir import json_text
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key, Resource
from passerelle.mappers.native.dossier import Dossier
from passerelle.mappers.native.dossier_naming import merge_tags, own_uuid
from passerelle.mappers.native.dossier_to_fhir import to_fhir
from passerelle.mappers.resources import dossier_episode
from passerelle.store.caller import Caller
from passerelle.store.contract import Draft, Outcome, Put, Version

BESIDE_HEAD: Mapping[str, Callable[[Resource, Resource], Resource]] = {
    "Patient": merge_tags,
    "EpisodeOfCare": dossier_episode.with_history,
}
"""Types that are made from what is there too: the tags that other dossiers write on a Patient,
the statuses that a dossier has been through.
"""

ACTIONS: dict[str, Action] = {"created": "created", "updated": "updated", "kept": "unchanged"}


@dataclass(frozen=True, slots=True)
class Made:
    """One resource of a push: the entry it stands for, its draft, what is there now."""

    section: str
    key: str
    role: str
    resource: Resource
    put: Put
    head: Version | None
    blob: bytes | None

    def receipt(self, done: Outcome) -> EntryReceipt:
        """Say what the commit did with it."""
        version = done.version
        return EntryReceipt(
            self.section,
            self.key,
            ACTIONS[done.action],
            str(self.put.draft.key),
            version.version if version else None,
        )

    def receipt_unwritten(self) -> EntryReceipt:
        """Say what a commit would do with it."""
        head, draft = self.head, self.put.draft
        reference = str(draft.key)
        if head is None or head.body is None:
            return EntryReceipt(self.section, self.key, "created", reference)
        action: Action = "unchanged" if same(draft, head) else "updated"
        return EntryReceipt(self.section, self.key, action, reference, head.version)


def same(draft: Draft, head: Version) -> bool:
    """Tell whether a draft says what a version says already."""
    body = draft.body(head.version, dump_instant(head.at))
    return (body, draft.aside, draft.blob) == (head.body, head.aside, head.blob)


async def known_ids(
    gateway: Gateway, caller: Caller, dossier: Dossier
) -> dict[tuple[str, str, str], str]:
    """Give the id of this platform's Patient for the person, unless it is the usual one.

    There is one Patient per source (house section 4): where another source's bears the id that the
    first identifier gives, which several may carry, this platform has a Patient beside it.
    """
    local = dossier.content["person"]["identifiers"][0]
    name = ("Patient", local["system"], local["value"])
    usual = Key("Patient", str(own_uuid(*name)))
    beside = Key("Patient", str(own_uuid("Patient", dossier.platform, "|".join(name[1:]))))
    claimed = await gateway.store.claimed("Patient", claim_of(*name[1:]), caller)
    wanted = [key for key in (claimed, beside, usual) if key is not None]
    heads = await gateway.store.read_many(wanted, caller)
    if claimed is not None and is_of(heads.get(claimed), dossier.platform):
        return {name: claimed.id}
    if beside in heads or not is_of(heads.get(usual), dossier.platform):
        return {name: beside.id}
    return {}


def is_of(head: Version | None, platform: str) -> bool:
    """Tell whether a platform may write what stands there: it is its own, or nobody's."""
    if head is None or head.body is None:
        return True
    source = json_text.decode(head.body).get("meta", {}).get("source") or platform
    return bool(same_source(source, platform))


def same_source(one: str, other: str) -> bool:
    """Tell whether two values of ``meta.source`` name one source."""
    return one.partition("#")[0].rstrip("/") == other.partition("#")[0].rstrip("/")


async def make(
    gateway: Gateway,
    caller: Caller,
    dossier: Dossier,
    ids: dict[tuple[str, str, str], str],
    known: frozenset[tuple[str, str]],
    folders: Sequence[Resource] = (),
    held: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> list[Made]:
    """Make the drafts of a merged dossier, each beside the head that is there.

    ``ids`` are those of :func:`known_ids`, ``known`` the entries that the record holds already,
    ``folders`` the Lists of the dossier, ``held`` the types of entries where these hang on the
    entry.
    """
    with read_natively():  # what was pushed is sound; what the record holds may not be
        parts = to_fhir(dossier, known_ids=ids, known=known, folders=folders, held=held)
    keys = [Key(part.resource["resourceType"], part.resource["id"]) for part in parts]
    heads = await gateway.store.read_many(keys, caller)
    made = []
    for number, (part, key) in enumerate(zip(parts, keys, strict=True)):
        await give_way(number)
        head = heads.get(key)
        resource = part.resource
        beside_head = BESIDE_HEAD.get(key.type)
        if beside_head is not None and head is not None and head.body is not None:
            resource = beside_head(json_text.decode(head.body), resource)
        sha256 = None if part.blob is None else hashlib.sha256(part.blob).hexdigest()
        draft = keeping.draft(
            key, resource, registry=gateway.store.parameters.registry, blob=sha256
        )
        blob = None if head is not None and head.blob == sha256 else part.blob
        beside = (head.version if head else 0) if beside_head is not None else None
        put = Put(draft, beside=beside)
        made.append(Made(part.section, part.key, part.role, resource, put, head, blob))
    return made


async def check_resources(
    made: Sequence[Made], ins: InsPolicy, places: Places
) -> tuple[list[Made], list[Issue]]:
    """Give the resources that may not be kept and why, as places of the native form."""
    faulty: list[Made] = []
    issues: list[Issue] = []
    for number, one in enumerate(made):
        await give_way(number)
        structural, identity = keeping.faults(one.resource, ins)
        said = [i for i in (*structural, *identity) if keeping.is_grave(i)]
        if said:
            faulty.append(one)
            place = places.of(one.section, one.key)
            issues += [replace(i, expression=_pointer(place, i)) for i in said]
    return faulty, issues


def _pointer(place: str, said: Issue) -> str:
    """Give the place in the native form that a fault of a made resource speaks of."""
    if said.rule.startswith("ins."):
        number = ".identifier" in (said.expression or "")
        return place + ("/identity/ins/number" if number else "/identity")
    return place
