"""A dossier comes in (house section 4): parsed whole, merged with what is there, written at once.

The push is idempotent: what a push makes is a function of the merged dossier, and identical content
makes no version. A concurrent push or change of the same dossier makes this one decide anew.
"""

from dataclasses import dataclass

from passerelle.dossiers.exchange.dossier_record import (
    DossierRecord,
    blobs_of,
    read_natively,
    read_record,
    resources_of,
)
from passerelle.dossiers.exchange.extraction import without_bytes
from passerelle.dossiers.exchange.form_definitions import form_issues
from passerelle.dossiers.exchange.push_endings import endings
from passerelle.dossiers.exchange.push_judgement import Judged, judge
from passerelle.dossiers.exchange.push_places import Places
from passerelle.dossiers.exchange.push_plan import (
    known_ids,
    make,
    same,
    same_source,
)
from passerelle.dossiers.exchange.receipts_of_push import EntryReceipt, Receipt
from passerelle.dossiers.exchange.section_bytes import binaries_of
from passerelle.dossiers.exchange.standing_ids import standing_ids
from passerelle.dossiers.gateway import Gateway, InsPolicy
from passerelle.dossiers.keeping import is_grave
from passerelle.dossiers.retrying import settle
from passerelle.dossiers.rights_columns import dossier_column
from passerelle.errors.refusals import (
    Conflict,
    Invalid,
    Issue,
    PreconditionFailed,
    Unprocessable,
)
from passerelle.errors.rules import issue
from passerelle.fhir.json_text import decode
from passerelle.ins import matricule
from passerelle.mappers.native import dossier_identity
from passerelle.mappers.native.dossier import Dossier
from passerelle.mappers.native.dossier_form import ParsedDossier, parse
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_merge import merge
from passerelle.mappers.native.dossier_naming import naming
from passerelle.mappers.native.dossier_sections import BY_ENTRY, TABLE, WITH_THE_ROOT, homes
from passerelle.store.caller import Caller
from passerelle.store.contract import DossierExpectation, Unit

CLOSED = ("closed", "merged")


@dataclass(frozen=True, slots=True)
class Push:
    """What is pushed and how; ``tag`` is the dossier's ``system|value``."""

    tag: str
    body: bytes
    if_match: str | None
    strict: bool
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
    Conflict (the dossier is closed, another platform's, or changed into what the native form
    cannot say; an identifier is another resource's). Nothing is written then, nor in a dry run.
    """
    push = Push(dossier_id, body, if_match, strict, dry_run)

    async def attempt() -> Receipt:
        return await _attempt(gateway, caller, push)

    return await settle(attempt)


async def _attempt(gateway: Gateway, caller: Caller, push: Push) -> Receipt:
    record = await read_record(gateway, caller, push.tag)
    there = _there(record)
    known = frozenset() if there is None else there.keys()
    parsed, said = read_push(push, known, gateway.ins)
    pushed = parsed.dossier
    if there is not None and not same_source(there.platform, pushed.platform):
        raise Conflict(issue("dossier.other-source", "/source/platform"))
    if push.if_match is not None and not matches(push.if_match, record, there):
        raise PreconditionFailed(issue("dossier.version-conflict"))
    places = Places(push.body)
    forms = await form_issues(gateway, caller, pushed, places, strict=push.strict)
    said = (*said, *forms)
    if any(is_grave(one) for one in forms):
        raise Unprocessable(*said)
    merged = merge(await _current(gateway, record, pushed), pushed)
    ids = standing_ids(record, merged, gateway.base_url) | await known_ids(gateway, caller, merged)
    folders = resources_of([one for one in record.tagged if one.key.type == "List"])
    held = {} if there is None else homes(there)
    made = await make(gateway, caller, merged, ids, known, folders, held)
    made += endings(gateway, record.tagged, naming(merged, ids), made)
    closed = there is not None and there.content["status"] in CLOSED
    if closed and not all(one.head and same(one.put.draft, one.head) for one in made):
        raise Conflict(issue("dossier.closed"))
    try:
        judged = await judge(gateway, caller, made, places, strict=push.strict)
    except Unprocessable as refusal:
        raise Unprocessable(*said, *refusal.issues) from None
    kept = judged.kept
    if push.dry_run:
        entries = [one.receipt_unwritten() for one in kept if one.role == "primary"]
        etag = record.etag
    else:
        try:
            outcomes = await gateway.store.commit(_unit(push, record, judged), caller)
        except Conflict as refusal:
            raise places.of_commit(refusal, [(m.section, m.key) for m in kept]) from None
        pairs = zip(kept, outcomes, strict=True)
        entries = [one.receipt(done) for one, done in pairs if one.role == "primary"]
        etag = (await read_record(gateway, caller, push.tag)).etag
    return Receipt(
        dossier=push.tag,
        etag=etag,
        status=201 if record.root is None else 200,
        identity=str(merged.content["person"]["identity"]["status"]),
        entries=(
            *_ended(entries, known, pushed),
            *_refused(set(parsed.refused) | judged.refused),
        ),
        issues=(*said, *judged.issues),
        dry_run=push.dry_run,
    )


def read_push(
    push: Push, known: frozenset[tuple[str, str]], ins: InsPolicy
) -> tuple[ParsedDossier, tuple[Issue, ...]]:
    """Read the body of a push with all there is to say of it, matricules included.

    Raises Invalid, or Unprocessable with everything at once.
    """
    try:
        parsed = parse(push.body, known=known)
    except Unprocessable as refusal:
        also = _identity_issues(_matricule_as_it_stands(push.body), ins)
        raise Unprocessable(*refusal.issues, *also) from None
    if parsed.dossier.tag != push.tag:
        raise Invalid(issue("dossier.id-mismatch", "/id"))
    identity = _identity_issues(dossier_identity.matricules(parsed.dossier), ins)
    said = (*parsed.issues, *identity)
    if any(is_grave(one) for one in (said if push.strict else identity)):
        raise Unprocessable(*said)
    return parsed, said


def _matricule_as_it_stands(body: bytes) -> tuple[dossier_identity.Matricule, ...]:
    """Find the matricule in a body that is at fault elsewhere, to say all of it at once."""
    node: object = decode(body)
    for name in ("person", "identity", "ins"):
        node = node.get(name) if isinstance(node, dict) else None
    if not isinstance(node, dict):
        return ()
    number, oid = node.get("number"), node.get("oid")
    if not isinstance(number, str) or not isinstance(oid, str):
        return ()
    return (dossier_identity.Matricule("/person/identity/ins/number", number, oid),)


def _there(record: DossierRecord) -> Dossier | None:
    """Read the dossier as it stands, without the bytes of its documents. Raises Conflict."""
    if record.root is None:
        return None
    with read_natively():
        return from_fhir(resources_of(record.versions), None)


def _unit(push: Push, record: DossierRecord, judged: Judged) -> Unit:
    return Unit(
        writes=tuple(one.put for one in judged.kept),
        present=judged.present,
        dossiers=(DossierExpectation(dossier_column(push.tag), record.seq),),
        blobs=tuple(one.blob for one in judged.kept if one.blob is not None),
    )


def _identity_issues(
    held_ones: tuple[dossier_identity.Matricule, ...], ins: InsPolicy
) -> tuple[Issue, ...]:
    """Check the key and the OID of every matricule, at its JSON Pointer."""
    issues: list[Issue] = []
    for held in held_ones:
        issues += matricule.check_number(held.number, held.oid, held.pointer)
        issues += matricule.check_oid(held.oid, allow_test=ins.allow_test, expression=held.pointer)
    return tuple(issues)


async def _current(gateway: Gateway, record: DossierRecord, pushed: Dossier) -> Dossier | None:
    """Read the dossier as it stands, but for the entries that this push leaves or replaces.

    Only what a push ends (absent from a section sent whole) must be read with its bytes.
    """
    if record.root is None:
        return None
    ended = BY_ENTRY & pushed.complete
    types = {type for section in ended for type in TABLE[section].types}
    kept = tuple(v for v in record.versions if v.key.type in types)
    blobs = await blobs_of(gateway, binaries_of(record, ended))
    with read_natively():
        return from_fhir(without_bytes(record, kept), blobs, sections=ended | WITH_THE_ROOT)


def matches(if_match: str, record: DossierRecord, there: Dossier | None) -> bool:
    """Tell whether If-Match names the dossier as it is: by our tag, or by the source's version.

    The source's version counts only while nothing was changed after the push that brought it.
    """
    if record.root is None or there is None:
        return False
    if if_match == record.etag:
        return True
    return there.content.get("version") == if_match and record.root.tx == record.newest_tx


def _ended(
    entries: list[EntryReceipt], known: frozenset[tuple[str, str]], pushed: Dossier
) -> list[EntryReceipt]:
    """Say "ended" of the entries that were there and that the push, being complete, left out."""
    left_out = {pair for pair in known - pushed.keys() if pair[0] in pushed.complete}
    return [
        EntryReceipt(one.section, one.key, "ended", one.reference, one.version)
        if (one.section, one.key) in left_out
        else one
        for one in entries
    ]


def _refused(refused: set[tuple[str, str]]) -> list[EntryReceipt]:
    return [EntryReceipt(section, key, "refused") for section, key in sorted(refused)]
