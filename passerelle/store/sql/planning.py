"""What a unit comes to, decided before anything is written: pure, the same for both databases.

Given the heads of the keys a unit writes and the holders of the claims it makes, a
:class:`Plan` says which versions, heads, index rows and claims the commit writes, or which refusal
it meets. https://hl7.org/fhir/R4/http.html#update and #concurrency
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from passerelle.errors.refusals import (
    Conflict,
    Issue,
    NotAllowed,
    PasserelleError,
    PreconditionFailed,
)
from passerelle.errors.rules import issue
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key
from passerelle.store.contract import (
    Delete,
    Draft,
    Put,
    RightsColumns,
    Stale,
    Unit,
    Version,
)
from passerelle.store.referring import Referred

Action: TypeAlias = Literal["created", "updated", "kept", "deleted", "absent"]
ClaimKey: TypeAlias = tuple[str, str, str]
"""Type, system and value of a claim."""


class Head(NamedTuple):
    """The current state of a resource: the columns of ``resource`` that a write is decided on."""

    pid: int
    version: int
    seq: int
    updated: int
    deleted: bool
    digest: bytes


@dataclass(frozen=True, slots=True)
class Stamps:
    """What a commit gives to all it writes: instant, transaction, author, and new numbers."""

    at: int
    tx: int
    author: str
    new_pid: Callable[[], int]
    new_seq: Callable[[], int]


@dataclass(slots=True)
class Plan:
    """What a commit writes. ``drafts`` holds the last state of each resource that changes.

    ``rights`` holds the columns of rights of those that the unit gives a body, if only to delete.
    ``renewed`` are the resources that were there before, whose index rows and claims are to be
    cleared. An outcome of ``kept`` (or a second deletion) names the ``seq`` of a version written
    earlier instead of a new version.
    """

    by_seq: dict[int, Version] = field(default_factory=dict)
    heads: dict[Key, Head] = field(default_factory=dict)
    drafts: dict[int, Draft | None] = field(default_factory=dict)  # by pid; None: deleted
    rights: dict[int, RightsColumns] = field(default_factory=dict)  # by pid
    renewed: set[int] = field(default_factory=set)
    claims: dict[ClaimKey, int] = field(default_factory=dict)
    outcomes: list[tuple[Action, Version | int | None]] = field(default_factory=list)

    @property
    def versions(self) -> Collection[Version]:
        """Give the new versions, in the order of their making."""
        return self.by_seq.values()


def keys_of(unit: Unit) -> tuple[Key, ...]:
    """Give the keys that a unit writes, without repeats."""
    return tuple(dict.fromkeys(_key(write) for write in unit.writes))


def heads_wanted(unit: Unit) -> tuple[Key, ...]:
    """Give the keys whose heads a unit is decided on, without repeats: the written ones first."""
    return tuple(dict.fromkeys((*keys_of(unit), *unit.present)))


def guarded(unit: Unit, heads: Mapping[Key, Head]) -> tuple[Referred, ...]:
    """Give those of ``unreferenced`` that are there, so that something may refer to them."""
    return tuple(one for one in unit.unreferenced if _is_there(heads.get(one.key)))


def claims_of(unit: Unit) -> tuple[ClaimKey, ...]:
    """Give the claims that a unit makes, without repeats."""
    return tuple(
        dict.fromkeys(
            (write.draft.key.type, *claim)
            for write in unit.writes
            if isinstance(write, Put)
            for claim in write.draft.claims
        )
    )


def instant(unit: Unit, heads: Mapping[Key, Head], now: int) -> int:
    """Give the instant of a unit: later than that of every resource it may change."""
    latest = (heads[key].updated + 1 for key in keys_of(unit) if key in heads)
    return max((now, *latest))


def plan(
    unit: Unit, heads: Mapping[Key, Head], holders: Mapping[ClaimKey, int], stamps: Stamps
) -> Plan:
    """Decide a unit.

    Raises Stale (``present``, ``beside``), or PreconditionFailed, NotAllowed or Conflict with the
    issues of all writes that are refused on the same ground.
    """
    made = Plan()
    refusals: list[PasserelleError] = []
    if not all(_is_there(heads.get(key)) for key in unit.present):
        raise Stale("what is referred to is not there any more")
    several = len(unit.writes) > 1
    for index, write in enumerate(unit.writes):
        head = made.heads.get(_key(write)) or heads.get(_key(write))
        _demand_beside(write, head)
        refusal = _refusal(write, head, f"writes[{index}]" if several else None)
        if refusal is not None:
            refusals.append(refusal)
        elif isinstance(write, Delete):
            _delete(made, write, head, stamps)
        else:
            _put(made, write, head, stamps)
    if not refusals:
        refusals = list(_claim(made, unit, holders))
    if refusals:
        raise _together(refusals)
    return made


def _key(write: Put | Delete) -> Key:
    return write.draft.key if isinstance(write, Put) else write.key


def _is_there(head: Head | None) -> bool:
    return head is not None and not head.deleted


def _demand_beside(write: Put | Delete, head: Head | None) -> None:
    """Raise Stale when the head is not the one that a draft was made beside."""
    beside = write.beside if isinstance(write, Put) else None
    if beside is not None and beside != (0 if head is None else head.version):
        raise Stale("a draft was made beside another version")


def _refusal(write: Put | Delete, head: Head | None, place: str | None) -> PasserelleError | None:
    """Tell why a write may not be done on that head, if so."""
    living = _is_there(head)
    if isinstance(write, Put) and write.must_be_absent and living:
        return PreconditionFailed(issue("record.there-already", place))
    if isinstance(write, Put) and head is None and not write.may_create:
        return NotAllowed(issue("record.ids-are-given", place))
    if write.if_match is not None and (
        head is None or head.deleted or head.version != write.if_match
    ):
        return PreconditionFailed(issue("record.version-conflict", place))
    if isinstance(write, Put) and write.must_be_new and living:
        return Conflict(issue("record.exists", place))
    return None


def _delete(made: Plan, write: Delete, head: Head | None, stamps: Stamps) -> None:
    if head is None:
        made.outcomes.append(("absent", None))
    elif head.deleted:
        made.outcomes.append(("deleted", _written(made, head.seq)))
    else:
        gone = Version(
            key=write.key,
            version=head.version + 1,
            seq=stamps.new_seq(),
            at=stamps.at,
            method="DELETE",
            body=None,
            aside=None,
            blob=None,
            author=stamps.author,
            tx=stamps.tx,
            pid=head.pid,
        )
        _keep(made, gone, None, head, head.digest)
        made.outcomes.append(("deleted", gone))


def _put(made: Plan, write: Put, head: Head | None, stamps: Stamps) -> None:
    draft = write.draft
    living = head is not None and not head.deleted
    if head is not None and living and head.digest == draft.digest:
        made.outcomes.append(("kept", _written(made, head.seq)))
        return
    number = 1 if head is None else head.version + 1
    kept = Version(
        key=draft.key,
        version=number,
        seq=stamps.new_seq(),
        at=stamps.at,
        method=write.method,
        body=draft.body(number, dump_instant(stamps.at)),
        aside=draft.aside,
        blob=draft.blob,
        author=stamps.author,
        tx=stamps.tx,
        pid=stamps.new_pid() if head is None else head.pid,
    )
    _keep(made, kept, draft, head, draft.digest)
    made.outcomes.append(("updated" if living else "created", kept))


def _keep(made: Plan, version: Version, draft: Draft | None, head: Head | None, sum: bytes) -> None:
    """Note a new version, and that it is the head now."""
    made.by_seq[version.seq] = version
    made.heads[version.key] = Head(
        version.pid, version.version, version.seq, version.at, draft is None, sum
    )
    made.drafts[version.pid] = draft
    if draft is not None:
        made.rights[version.pid] = draft.rights
    if head is not None:
        made.renewed.add(version.pid)


def _written(made: Plan, seq: int) -> Version | int:
    """Give the version of this very plan that has that seq, or the seq of an earlier one."""
    return made.by_seq.get(seq, seq)


def _claim(made: Plan, unit: Unit, holders: Mapping[ClaimKey, int]) -> Iterable[PasserelleError]:
    """Give the claims of the final state to their resources; yield a Conflict for each taken one.

    What a resource of the unit held before is free, so that two may exchange their identifiers.
    """
    several = len(unit.writes) > 1
    for index, write in enumerate(unit.writes):
        key = _key(write)
        head = made.heads.get(key)
        if not isinstance(write, Put) or head is None or made.drafts[head.pid] is not write.draft:
            continue
        for claim in write.draft.claims:
            wanted = (key.type, claim.system, claim.value)
            holder = holders.get(wanted)
            taken = holder is not None and holder not in made.drafts
            if taken or made.claims.setdefault(wanted, head.pid) != head.pid:
                place = f"writes[{index}]" if several else f"{key.type}.identifier"
                if key.type == "SearchParameter":
                    place = place.replace(".identifier", ".code")
                    parts = {"type": claim.system, "code": claim.value}
                    yield Conflict(issue("parameter.code-taken", place, **parts))
                    break
                yield Conflict(issue("record.identifier-taken", place))
                break


def _together(refusals: list[PasserelleError]) -> PasserelleError:
    """Make one refusal of all those of the first one's class."""
    kind = type(refusals[0])
    issues: list[Issue] = []
    for refusal in refusals:
        if type(refusal) is kind:
            issues.extend(refusal.issues)
    return kind(*issues)
