"""What the entries of a bundle may take together is counted, and ends it."""

import asyncio

import pytest

from passerelle.dossiers.effort import Effort
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.transactions import Batch, Transaction
from passerelle.dossiers.turns import in_thread
from passerelle.errors.refusals import Throttled
from passerelle.store.caller import SYSTEM
from passerelle.store.time_taken import COUNTER, tell

pytestmark = pytest.mark.anyio


class Ticks:
    """A clock that goes on by what is worked: each step of ours takes a second."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, seconds=1.0):
        self.now += seconds


async def test_each_step_of_a_work_is_counted_and_what_others_do_meanwhile_is_not():
    clock = Ticks()
    effort = Effort(10, clock)

    async def ours():
        for _ in range(3):
            clock.work()
            await asyncio.sleep(0)
        return "done"

    async def of_others():
        for _ in range(20):
            clock.work(100)
            await asyncio.sleep(0)

    other = asyncio.create_task(of_others())
    assert await effort.of(ours()) == "done"
    await other
    assert effort.spent == 3


async def test_what_a_thread_and_the_record_take_is_counted_too():
    effort = Effort(10, Ticks())

    async def ours():
        tell(4)
        return await in_thread(sum, [1, 2])

    assert await effort.of(ours()) == 3
    assert 4 <= effort.spent < 5
    assert COUNTER.get() is None


async def test_a_fault_and_an_end_from_outside_go_through_what_counts():
    effort = Effort(10, Ticks())

    async def faulty():
        await asyncio.sleep(0)
        raise KeyError

    with pytest.raises(KeyError):
        await effort.of(faulty())
    ended = []

    async def waiting():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = asyncio.create_task(effort.of(waiting()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]
    assert COUNTER.get() is None


def test_what_has_been_spent_is_refused_as_too_costly():
    effort = Effort(2, Ticks())
    effort.spend(1.5)
    effort.demand("Bundle.entry[0]")
    effort.spend(0.5)
    with pytest.raises(Throttled) as caught:
        effort.demand("Bundle.entry[1]")
    (said,) = caught.value.issues
    assert (said.rule, said.code, said.expression) == (
        "bundle.too-costly",
        "too-costly",
        "Bundle.entry[1]",
    )


class Asked:
    """Answers entries that ask; each takes a second."""

    def __init__(self, clock):
        self.clock = clock
        self.count = 0

    def refuses(self, entry):
        return None

    async def answer(self, entry, inputs):
        from passerelle.dossiers.entry_answer import EntryAnswer

        self.clock.work()
        self.count += 1
        return EntryAnswer(200, resource=b"{}")

    def shown(self, method, answer):
        return answer


@pytest.mark.parametrize(("kind", "run"), [("batch", Batch), ("transaction", Transaction)])
async def test_of_a_bundle_that_takes_long_the_later_entries_are_refused_one_by_one(
    gateway, kind, run
):
    asking = {"request": {"method": "GET", "url": "Patient?name=a"}}
    writing = {
        "resource": {"resourceType": "Patient", "id": "p"},
        "request": {"method": "PUT", "url": "Patient/p"},
    }
    clock = Ticks()
    asked = Asked(clock)
    entries = [*[asking] * 20, *([writing] if kind == "transaction" else [])]
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    repository = Repository(gateway, SYSTEM)
    answers = await run(repository, asked, Effort(5, clock)).run(bundle)
    assert [answer.status for answer in answers[:20]] == [200] * 5 + [429] * 15
    assert asked.count == 5
    places = [answer.outcome[0].expression for answer in answers[5:20]]
    assert places == [f"Bundle.entry[{index}]" for index in range(5, 20)]
    if kind == "transaction":  # what is written is written first, all of it
        assert answers[20].status == 201
