"""A dossier comes in (house section 4): parsed whole, merged with what is there, written at once.

The push is idempotent: what a push makes is a function of the merged dossier, and identical content
makes no version. A concurrent push or change of the same dossier makes this one decide anew.
"""

from dataclasses import dataclass

from passerelle.dossiers.dossier_record import DossierRecord, blobs_of, read_record
from passerelle.dossiers.extraction import without_bytes
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.push_plan import check_resources, known_ids, make, same
from passerelle.dossiers.receipts_of_push import EntryReceipt, Receipt
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import (
    Conflict,
    Invalid,
    Issue,
    PreconditionFailed,
    Unprocessable,
)
from passerelle.errors.rules import issue
from passerelle.ins import matricule
from passerelle.mappers import dossier_identity
from passerelle.mappers.dossier import Dossier
from passerelle.mappers.dossier_form import ParsedDossier, parse
from passerelle.mappers.dossier_from_fhir import from_fhir
from passerelle.mappers.dossier_merge import merge
from passerelle.store.caller import Caller
from passerelle.store.contract import DossierExpectation, Unit, Version

CLOSED = ("closed", "merged")
BY_KEY = {"documents": "DocumentReference", "appointments": "Appointment", "tasks": "Task"}
"""Sections whose stored entries are read only when a push ends them: the rest of them stands."""


@dataclass(frozen=True, slots=True)
class Push:
    """What is pushed and how."""

    tag: str
    parsed: ParsedDossier
    issues: tuple[Issue, ...]
    if_match: str | None
    dry_run: bool


async def receive(
    gateway: Gateway,
    caller: Caller,
    dossier_id: str,
    body: bytes,
    *,
    if_match: str | None,
    strict: bool,
    dry_run: bool,
) -> Receipt:
    """Take a dossier in; give the receipt, entry by entry.

    Raises Invalid (unreadable, or another dossier than ``dossier_id``), Unprocessable (faults of
    root, person or managing; any fault when ``strict``), PreconditionFailed (``if_match``),
    Conflict (the dossier is closed). Nothing is written then, nor in a dry run.
    """
    parsed = parse(body)
    if parsed.dossier.tag != dossier_id:
        raise Invalid(issue("dossier.id-mismatch", "/id"))
    identity = _identity_issues(parsed.dossier, gateway)
    issues = (*parsed.issues, *identity)
    graves = [said for said in issues if said.severity in ("fatal", "error")]
    if graves and (strict or any(said.severity in ("fatal", "error") for said in identity)):
        raise Unprocessable(*issues)
    push = Push(dossier_id, parsed, issues, if_match, dry_run)

    async def attempt() -> Receipt:
        return await _attempt(gateway, caller, push, strict=strict)

    return await settle(attempt)


async def _attempt(gateway: Gateway, caller: Caller, push: Push, *, strict: bool) -> Receipt:
    record = await read_record(gateway, caller, push.tag)
    pushed = push.parsed.dossier
    current = await _current(gateway, record, pushed)
    if push.if_match is not None and not _matches(push.if_match, record, current):
        raise PreconditionFailed(issue("dossier.version-conflict"))
    merged = merge(current, pushed)
    made = await make(gateway, caller, merged, await known_ids(gateway, caller, merged))
    closed = current is not None and current.content["status"] in CLOSED
    if closed and not all(one.head and same(one.put.draft, one.head) for one in made):
        raise Conflict(issue("dossier.closed"))
    faulty, issues = check_resources(made, gateway.ins)
    if issues and (strict or any(m.section in ("dossier", "person", "managing") for m in faulty)):
        raise Unprocessable(*push.issues, *issues)
    refused = {(one.section, one.key) for one in faulty}
    kept = [one for one in made if (one.section, one.key) not in refused]
    if push.dry_run:
        entries = [one.receipt_unwritten() for one in kept if one.role == "primary"]
        etag = record.etag
    else:
        unit = Unit(
            writes=tuple(one.put for one in kept),
            dossiers=(DossierExpectation(push.tag, record.seq),),
            blobs=tuple(one.blob for one in kept if one.blob is not None),
        )
        outcomes = await gateway.store.commit(unit, caller)
        pairs = zip(kept, outcomes, strict=True)
        entries = [one.receipt(done) for one, done in pairs if one.role == "primary"]
        etag = (await read_record(gateway, caller, push.tag)).etag
    return Receipt(
        dossier=push.tag,
        etag=etag,
        status=201 if record.team is None else 200,
        identity=str(merged.content["person"]["identity"]["status"]),
        entries=(
            *_ended(entries, current, pushed.keys(), pushed.complete),
            *_refused(push, refused),
        ),
        issues=(*push.issues, *issues),
        dry_run=push.dry_run,
    )


def _identity_issues(dossier: Dossier, gateway: Gateway) -> tuple[Issue, ...]:
    """Check the key and the OID of every matricule, at its JSON Pointer."""
    issues: list[Issue] = []
    for held in dossier_identity.matricules(dossier):
        issues += matricule.check_number(held.number, held.oid, held.pointer)
        issues += matricule.check_oid(
            held.oid, allow_test=gateway.ins.allow_test, expression=held.pointer
        )
    return tuple(issues)


async def _current(gateway: Gateway, record: DossierRecord, pushed: Dossier) -> Dossier | None:
    """Read the dossier as it stands, but for the entries that this push leaves or replaces.

    Only what a push ends (absent from a section sent whole) must be read with its bytes.
    """
    if record.team is None:
        return None
    wanted = {type_ for section, type_ in BY_KEY.items() if section in pushed.complete}
    kept: tuple[Version, ...] = ()
    blobs: dict[str, bytes] = {}
    if wanted:
        types = wanted | ({"Binary"} if "DocumentReference" in wanted else set())
        kept = tuple(v for v in record.versions if v.key.type in types)
        blobs = await blobs_of(gateway, kept)
    return from_fhir(without_bytes(record, kept), blobs)


def _matches(if_match: str, record: DossierRecord, current: Dossier | None) -> bool:
    """Tell whether If-Match names the dossier as it is: by our tag, or by the source's version.

    The source's version counts only while nothing was changed after the push that brought it.
    """
    if record.team is None or current is None:
        return False
    if if_match == record.etag:
        return True
    newest = max(version.tx for version in record.tagged)
    return current.content.get("version") == if_match and record.team.tx == newest


def _ended(
    entries: list[EntryReceipt],
    current: Dossier | None,
    pushed: frozenset[tuple[str, str]],
    complete: frozenset[str],
) -> list[EntryReceipt]:
    """Say "ended" of the entries that were there and that the push, being complete, left out."""
    if current is None:
        return entries
    there = Dossier.keys(current)
    return [
        EntryReceipt(one.section, one.key, "ended", one.reference, one.version)
        if (pair := (one.section, one.key)) in there
        and one.section in complete
        and pair not in pushed
        else one
        for one in entries
    ]


def _refused(push: Push, refused: set[tuple[str, str]]) -> list[EntryReceipt]:
    pairs = sorted(set(push.parsed.refused) | refused)
    return [EntryReceipt(section, key, "refused") for section, key in pairs]
