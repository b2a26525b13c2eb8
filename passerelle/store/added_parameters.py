"""The search parameters that were added to one record: which there are, and how far each is.

The table ``search_parameter`` follows the SearchParameter resources: the commit that writes one has
it settled. What is written afterwards is indexed as it comes; what was there before is indexed in
steps (``parameter_steps``). docs/decisions/2611-added-search-parameters.md
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple, Protocol, TypeVar

from passerelle.errors.refusals import Unavailable
from passerelle.fhir.search.added_parameters import ADDED_MAX, Read, dump, kept_of, read_body
from passerelle.fhir.search.registry import STANDARD, Added, Registry
from passerelle.fhir.search.search_parameters import Parameter
from passerelle.store import parameter_steps as steps
from passerelle.store.contract import Put, Stale, Unit
from passerelle.store.outbox import NewJob
from passerelle.store.parameter_rows import (
    AddedRow,
    all_rows,
    definitions,
    parameter_of,
    run,
    total_of,
)
from passerelle.store.sql.compiling import DialectName
from passerelle.store.upkeep.maintenance import Session

TYPE = "SearchParameter"
JOB_KIND = "search-parameters.index"
FRESH_MICROSECONDS = 1_000_000
"""As long what is known is taken for what is there; a commit sees by itself that it is not."""

T = TypeVar("T")


class Outdated(Stale):
    """Index rows were made by parameters that are no longer those of the record."""


class Runner(Protocol):
    """What a database does for this table. All raise Unavailable."""

    @property
    def dialect(self) -> DialectName:
        """Name the dialect."""

    async def stamp(self) -> int:
        """Give the number of the state of the table, as it is now."""

    async def inside(
        self, work: Callable[[Session], Awaitable[T]], *, alone: bool | None = None
    ) -> T:
        """Do some work in a transaction; alone, beside other readers of the table, or as it is.

        ``alone`` True keeps all writers of the record away, False only those who are alone.
        """


class AddedParameters:
    """The added parameters of one record, and the registry as this process knows it."""

    def __init__(self, runner: Runner, clock: Callable[[], int]) -> None:
        self.registry: Registry = STANDARD
        self._runner = runner
        self._clock = clock
        self._looked = 0

    @property
    def is_fresh(self) -> bool:
        """Tell whether the registry was looked at lately."""
        return self._clock() - self._looked < FRESH_MICROSECONDS

    async def refresh(self, *, now: bool = False) -> Registry:
        """Give the registry, looked at again when that was long ago, or must be ``now``."""
        if self.is_fresh and not now:
            return self.registry
        known = self.registry
        looked = self._clock()
        if known.stamp != await self._runner.stamp() or known.is_waiting:
            self.registry = await self._runner.inside(self._load, alone=False)
        self._looked = looked
        return self.registry

    async def rows(self) -> tuple[AddedRow, ...]:
        """Give every parameter that was ever added, in the order of their numbers."""
        return tuple(await self._runner.inside(all_rows))

    async def after(self, unit: Unit) -> None:
        """Settle what a commit has written; the job that went along does when this fails."""
        if writes_parameters(unit):
            with suppress(Unavailable):
                await self.settle()

    async def settle(self) -> None:
        """Bring the table to what the SearchParameter resources say.

        Writers are kept away only when there is something to change.
        """
        found = await self._runner.inside(_difference)
        if found.gone or found.new:
            await self._runner.inside(self._settle, alone=True)
        await self.refresh(now=True)

    async def readings(self) -> tuple[tuple[str, Read], ...]:
        """Give what each active SearchParameter that is not of R4 stands for, with its id."""
        return tuple(await self._runner.inside(_readings))

    async def clearing_due(self) -> int | None:
        """Give when rows may next be cleared, in microseconds since 1970; None when none are."""
        waiting = [row.at for row in await self.rows() if row.state == "clearing"]
        return min(waiting) + steps.REST_MICROSECONDS if waiting else None

    async def step(self, count: int) -> bool:
        """Index, or clear, some more of what is to be; tell whether there may be more to do."""
        now = self._clock()
        found = await self._runner.inside(lambda session: steps.step(session, count, now))
        if found == "finish":
            await self._runner.inside(self._finish, alone=True)
            await self.refresh(now=True)
        return found != "nothing"

    async def _load(self, session: Session) -> Registry:
        stamp = await self._runner_stamp(session)
        rows = await all_rows(session)
        living = [row for row in rows if row.state in ("indexing", "ready")]
        return Registry(stamp, [added_of(row) for row in living[:ADDED_MAX]])

    async def _runner_stamp(self, session: Session) -> int:
        found: int = (await run(session, "stamp"))[0][0]
        return found

    async def _finish(self, session: Session) -> None:
        if await steps.finish(session):
            await run(session, "bump")

    async def _settle(self, session: Session) -> None:
        found = await _difference(session)
        now = self._clock()
        for number in found.gone:
            await run(session, "end", at=now, number=number)
        for number, each in enumerate(found.new, found.last + 1):
            await self._add(session, number, each)
        if found.gone or found.new:
            await run(session, "bump")

    async def _add(self, session: Session, number: int, parameter: Parameter) -> None:
        await run(
            session,
            "add",
            number=number,
            type=parameter.type,
            code=parameter.code,
            kind=parameter.kind,
            url=parameter.url,
            definition=dump(parameter),
            place=steps.PID_MIN,
            total=await total_of(session, parameter.type),
            at=self._clock(),
        )


class _Difference(NamedTuple):
    """What is to be done: the numbers of parameters that end, those to add, the last number."""

    gone: list[int]
    new: list[Parameter]
    last: int


async def _difference(session: Session) -> _Difference:
    """Compare the table with the SearchParameter resources."""
    rows = await all_rows(session)
    living = {row.number: row for row in rows if row.state in ("indexing", "ready")}
    read = [each for _, found in await _readings(session) for each in found.parameters]
    wanted = {dump(each): each for each in kept_of(read, map(parameter_of, living.values()))}
    gone = [number for number, row in living.items() if row.definition not in wanted]
    kept = {living[number].definition for number in living if number not in gone}
    new = [each for cells, each in wanted.items() if cells not in kept]
    last = max((row.number for row in rows), default=0)
    return _Difference(gone, new[: ADDED_MAX - len(kept)], last)


async def _readings(session: Session) -> list[tuple[str, Read]]:
    """Read all SearchParameters, a page at a time; what stands for nothing is left out."""
    found: list[tuple[str, Read]] = []
    async for id, body in definitions(session, TYPE):
        read = read_body(body)
        if read.parameters or read.faults or read.there:
            found.append((id, read))
    return found


def added_of(row: AddedRow) -> Added:
    """Give a parameter with how far it is; what is not ready has never 100 per cent."""
    ready = row.state == "ready"
    return Added(parameter_of(row), ready, 100 if ready else row.percent)


def writes_parameters(unit: Unit) -> bool:
    """Tell whether a unit writes a SearchParameter."""
    for write in unit.writes:
        key = write.draft.key if isinstance(write, Put) else write.key
        if key.type == TYPE:
            return True
    return False


def with_job(unit: Unit, now: int) -> Unit:
    """Give a unit with the job that settles and indexes what it writes, where there is need."""
    if not writes_parameters(unit):
        return unit
    return replace(unit, jobs=(*unit.jobs, NewJob(JOB_KIND, TYPE, b"{}", now)))


def demand_current(unit: Unit, stamp: int) -> None:
    """Raise Outdated when a draft was indexed by another state of the parameters."""
    for write in unit.writes:
        if isinstance(write, Put) and write.draft.stamp not in (None, stamp):
            raise Outdated("the search parameters have changed")
