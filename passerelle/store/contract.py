"""What the store offers to the room above, and the values that travel there and back.

``SqliteStore`` and ``PostgresStore`` offer it. Time, ids and the :class:`Caller` are handed in.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from passerelle.errors.refusals import Issue
from passerelle.fhir.history_query import HistoryQuery
from passerelle.fhir.resource import Key
from passerelle.fhir.search.index_rows import IndexRows
from passerelle.fhir.search.query import Query
from passerelle.store.caller import Caller
from passerelle.store.gathering import Everything, LifeLine, Marks
from passerelle.store.kept_beside import KeptBeside
from passerelle.store.outbox import Job, JobEnd, Message, MessageChange, NewJob, NewMessage
from passerelle.store.referring import Referred, Referring


class Claim(NamedTuple):
    """A business identifier that may belong to one resource only."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class RightsColumns:
    """The columns of ``resource`` that rights are decided on."""

    dossier: str | None = None
    element: str | None = None
    confidentiality: str | None = None
    hidden: str | None = None
    author: str | None = None
    structure: str | None = None
    shared: bool | None = None
    patient_visible: bool | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A resource ready to be kept, but for its version and instant, which the commit gives.

    ``before + version + between + lastUpdated + after`` is the body as served (in ``meta`` the
    version comes first). ``digest`` is of the content without the two, with ``aside`` and ``blob``.
    """

    key: Key
    before: bytes
    between: bytes
    after: bytes
    digest: bytes
    rows: IndexRows
    rights: RightsColumns = RightsColumns()
    claims: tuple[Claim, ...] = ()
    aside: bytes | None = None
    blob: str | None = None
    stamp: int | None = None  # of the registry that the rows were made by; None: any will do

    def body(self, version: int, last_updated: str) -> bytes:
        """Give the body of that version, e.g. ``body(1, "2026-01-12T09:00:00.000000Z")``."""
        return b"".join(
            (
                self.before,
                str(version).encode(),
                self.between,
                last_updated.encode(),
                self.after,
            )
        )


@dataclass(frozen=True, slots=True)
class Put:
    """Keep a draft, created when it is not there. ``must_be_new``: not there, or deleted.

    ``beside`` is the version that a draft was made beside, 0 when there was none: the commit
    refuses (Stale) when the head is another one, for then the draft may leave something out.
    ``must_be_absent`` is If-None-Match: * . Without ``may_create`` there must have been a version.
    """

    draft: Draft
    method: Literal["POST", "PUT"] = "PUT"
    if_match: int | None = None
    must_be_new: bool = False
    beside: int | None = None
    must_be_absent: bool = False
    may_create: bool = True


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a key; deleting what is deleted or was never there is no error and no version."""

    key: Key
    if_match: int | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a condition was found to designate; the commit refuses (Stale) when that changed.

    Those that have a ``lock``, or one of the asked ``identifiers``, in common follow one another.
    """

    query: Query
    ids: tuple[str, ...]
    lock: str
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DossierExpectation:
    """What ``Store.dossier_seq`` said before a dossier was read; None: the dossier is new.

    The commit refuses (Stale) when any resource of the dossier was written or deleted since.
    """

    dossier: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class PackageExpectation:
    """A package whose adding or removal a unit is a part of.

    ``at`` tells it from one of the same name that was removed and added anew. The commit refuses
    (Stale) when the package is in none of those states; its state does not change meanwhile.
    """

    name: str
    version: str
    at: int
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """All or nothing: what one request writes.

    ``present`` must be there, not deleted, when it is committed; to ``unreferenced`` (of those that
    are there) nothing may refer by then but what the unit itself writes. Else it is Stale.
    """

    writes: tuple[Put | Delete, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    present: tuple[Key, ...] = ()
    unreferenced: tuple[Referred, ...] = ()
    dossiers: tuple[DossierExpectation, ...] = ()
    jobs: tuple[NewJob, ...] = ()
    job_ends: tuple[JobEnd, ...] = ()
    messages: tuple[NewMessage, ...] = ()
    message_changes: tuple[MessageChange, ...] = ()
    package: PackageExpectation | None = None
    blobs: tuple[bytes, ...] = ()  # small ones to keep along; large ones go by put_blob first


class Version(NamedTuple):
    """One version as kept. ``body`` is None for a deletion."""

    key: Key
    version: int
    seq: int
    at: int  # microseconds since 1970 UTC
    method: str
    body: bytes | None
    aside: bytes | None
    blob: str | None
    author: str
    tx: int
    pid: int


class Outcome(NamedTuple):
    """What became of one write, in the order of the unit's writes.

    ``kept``, and ``deleted`` of what was deleted before, bring the version that was there. The
    store has no warnings to say; the room above puts its own.
    """

    action: Literal["created", "updated", "kept", "deleted", "absent"]
    version: Version | None  # None for "absent": a deletion of what was never there
    warnings: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: matches then included resources, as stored bytes."""

    matches: tuple[Version, ...]
    included: tuple[Version, ...] = ()
    total: int | None = None
    next: str | None = None  # the cursor of the next page, opaque
    issues: tuple[object, ...] = field(default=())


class HistoryPage(NamedTuple):
    """One page of a history, in its order; ``total`` where it is known."""

    versions: tuple[Version, ...]
    total: int | None = None
    next: str | None = None  # the cursor of the next page, opaque


class Mark(NamedTuple):
    """A place in the feed of all changes: that of a version is its ``at`` and its ``seq``."""

    at: int = 0
    seq: int = 0


class Stale(Exception):
    """An expectation or a lease no longer holds: read, decide again. Never leaves dossiers/."""


class Store(Referring, KeptBeside, Protocol):
    """The record. All methods raise ``Unavailable`` when the database does not answer."""

    async def open(self) -> None:
        """Open the connections and start the writer; raises Unavailable when not migrated."""

    async def close(self) -> None:
        """Finish the queued writes and close."""

    async def ready(self) -> bool:
        """Tell whether a read and a write transaction work now."""

    async def read(self, key: Key, caller: Caller) -> Version | None:
        """Give the head (a deletion has no body), or None when there never was one."""

    async def read_many(self, keys: Sequence[Key], caller: Caller) -> Mapping[Key, Version]:
        """Give the heads of those keys that exist, deletions included."""

    async def vread(self, key: Key, version: int, caller: Caller) -> Version | None:
        """Give one version."""

    async def history(
        self, key: Key, caller: Caller, *, count: int, before: int | None = None
    ) -> Sequence[Version]:
        """Give versions newest first, those with ``version < before`` when given."""

    async def past(self, query: HistoryQuery, caller: Caller) -> HistoryPage:
        """Give one page of the history of a resource, of a type or of the system.

        Those of a type and of the system stay below the commit horizon: what comes later is never
        behind what was given. Raises Invalid for a cursor that is not one of this history.
        """

    async def changes(self, caller: Caller, *, after: Mark, limit: int) -> Sequence[Version]:
        """Give the changes after a mark in the order of ``(at, seq)``, deletions included.

        None is missed and none comes twice by whoever goes on from the mark of the last one: it
        stays below the commit horizon.
        """

    async def search(self, query: Query, caller: Caller) -> Page:
        """Give one page of the matches of a query, with what it asks to include.

        Raises Invalid when it asks the full text and there is none.
        """

    async def matching(self, query: Query, caller: Caller, *, limit: int) -> tuple[str, ...]:
        """Give the ids of at most ``limit`` matches, in pid order: for conditions."""

    async def claimed(self, type: str, claim: Claim, caller: Caller) -> Key | None:
        """Give the resource to which a business identifier belongs."""

    async def dossier(self, dossier: str, caller: Caller) -> Sequence[Version]:
        """Give the heads, not deleted, of all resources of a dossier in the order of their pid."""

    async def dossier_seq(self, dossier: str, caller: Caller) -> int | None:
        """Give the highest ``seq`` among a dossier's resources, deleted ones included.

        For a :class:`DossierExpectation`: ask this first, then read the dossier. (The highest of
        ``dossier()`` will not do: a deletion is not among its heads.)
        """

    async def everything(self, asked: Everything, caller: Caller) -> Page:
        """Give one page of all that is about a resource, and of what this refers to.

        Each resource once, as matches; raises Invalid for a cursor of another request.
        """

    async def life_line(self, asked: LifeLine, caller: Caller) -> Page:
        """Give one page of what is dated about a person, in the order of its dates.

        Raises Invalid for a cursor of another request.
        """

    async def marks(self, type: str | None, caller: Caller) -> Marks:
        """Give the profiles, tags and security labels that resources of a type (or any) bear."""

    async def commit(self, unit: Unit, caller: Caller) -> tuple[Outcome, ...]:
        """Write a unit durably, all or nothing; answers only after the commit.

        Raises Stale (an expectation, ``present``, ``unreferenced``, ``beside`` or a lease fails),
        PreconditionFailed (``if_match``, ``must_be_absent``), NotAllowed (not ``may_create``),
        Conflict (``must_be_new`` of what is there and not deleted, a claim that
        another resource holds, or a message that was kept already). Where a unit has several
        writes, each
        issue's expression is ``writes[i]``, for the room above to put its own place.
        """

    async def put_blob(self, chunks: AsyncIterator[bytes], *, size_max: int) -> tuple[str, int]:
        """Keep streamed bytes, give (sha256 hex, size); raises TooLarge. Idempotent."""

    def blob(self, sha256: str, *, first: int = 0, last: int | None = None) -> AsyncIterator[bytes]:
        """Stream the bytes of a blob, from ``first`` to ``last`` (included); raises NotFound."""

    async def blob_size(self, sha256: str) -> int:
        """Give how many bytes a blob has; raises NotFound."""

    async def claim_jobs(
        self, kinds: Sequence[str], *, holder: str, now: int, lease_until: int, limit: int
    ) -> Sequence[Job]:
        """Lease the jobs that are due (or whose lease ran out), oldest first, among workers."""

    async def next_due(self, kinds: Sequence[str]) -> int | None:
        """Give when the next job is due."""

    async def job_counts(self) -> Mapping[tuple[str, str], int]:
        """Give how many jobs there are by (kind, state). Reads them all: not at every request."""

    async def jobs(self, subject: str) -> Sequence[Mapping[str, object]]:
        """Give the jobs about something, for people to look at."""

    async def messages(
        self,
        *,
        direction: str | None = None,
        state: str | None = None,
        identifier: str | None = None,
        subject: str | None = None,
        limit: int = 100,
    ) -> Sequence[Message]:
        """Give kept messages, newest first."""

    async def job_added(self, timeout_seconds: float) -> bool:
        """Wait until a unit with jobs is committed (by this process at least) or time runs out."""
