"""The laws of push and pull, over drawn dossiers (design of the native form, section 4)."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from passerelle.dossiers.exchange.dossier_record import read_record
from passerelle.dossiers.exchange.extraction import extract
from passerelle.dossiers.exchange.receipts_of_push import Receipt
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import PreconditionFailed, Unprocessable
from passerelle.mappers.native.dossier import SECTIONS as ALL
from passerelle.mappers.native.dossier import Dossier, dump
from passerelle.store.caller import SYSTEM
from tests.strategies.dossiers import dossiers

pytestmark = pytest.mark.anyio
SLOW = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
    HealthCheck.function_scoped_fixture,
)
SECTIONS = tuple(name for name in ALL if name not in ("pathways", "circle"))


async def push(gateway: Gateway, dossier: Dossier, **how: Any) -> Receipt:
    options = {"if_match": None, "strict": True, "dry_run": False} | how
    return await receive(gateway, SYSTEM, dossier.tag, dump(dossier), **options)


async def pull(gateway: Gateway, dossier: Dossier) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await extract(gateway, SYSTEM, dossier.tag)).body)
    return found


def as_pulled(dossier: Dossier) -> dict[str, Any]:
    content = dict(dossier.content)
    content.pop("complete", None)
    return json.loads(dump(Dossier(content)))


async def versions(gateway: Gateway, dossier: Dossier) -> dict[str, int]:
    record = await read_record(gateway, SYSTEM, dossier.tag)
    return {str(version.key): version.version for version in record.versions}


def run(database_url: str, clock, law) -> None:
    """Run a law in a gateway of its own: hypothesis draws many, each on the same database."""
    from passerelle.dossiers.gateway import InsPolicy
    from passerelle.store.opening import open_store

    async def within() -> None:
        store = open_store(database_url, clock=clock)
        await store.open()
        numbers = iter(range(10**9))
        gateway = Gateway(
            store=store,
            clock=clock,
            new_id=lambda: f"id-{next(numbers)}",
            base_url="http://127.0.0.1:8080/fhir",
            ins=InsPolicy(allow_test=True),
        )
        try:
            await law(gateway)
        finally:
            await store.close()

    asyncio.run(within())


def apart(dossier: Dossier, number: int) -> Dossier:
    """Give the dossier under an identity that no earlier draw had, so that draws do not meet."""
    content = json.loads(dump(dossier))
    content["id"]["value"] += f"-{number}"
    for identifier in content["person"]["identifiers"]:
        identifier["value"] += f"-{number}"
    return Dossier(content)


NUMBERS = iter(range(10**9))
DRAWN = (Phase.explicit, Phase.reuse, Phase.generate)
"""No shrinking: each draw works on a real database."""


def is_open(dossier: Dossier) -> bool:
    return dossier.content["status"] not in ("closed", "merged")


@settings(max_examples=20, deadline=None, phases=DRAWN, suppress_health_check=SLOW)
@given(drawn=dossiers())
def test_what_is_pushed_is_pulled_and_pushed_twice_makes_no_version(
    drawn: Dossier, database_url: str, clock
) -> None:
    dossier = apart(drawn, next(NUMBERS))

    async def law(gateway: Gateway) -> None:
        first = await push(gateway, dossier)
        assert await pull(gateway, dossier) == as_pulled(dossier)
        before = await versions(gateway, dossier)
        second = await push(gateway, dossier)
        assert await versions(gateway, dossier) == before
        assert second.etag == first.etag
        assert {entry.action for entry in second.entries} <= {"unchanged"}

    run(database_url, clock, law)


@settings(max_examples=20, deadline=None, phases=DRAWN, suppress_health_check=SLOW)
@given(drawn=dossiers().filter(is_open), order=st.permutations(SECTIONS))
def test_the_order_in_which_sections_are_pushed_does_not_matter(
    drawn: Dossier, order: list[str], database_url: str, clock
) -> None:
    # What names a document comes with it or after it: nothing is kept that points nowhere.
    for entry in (*drawn.content.get("tasks", ()), *drawn.content.get("alerts", ())):
        entry.pop("about", None)
    for form in drawn.content.get("forms", ()):
        form.pop("answers", None)
    for entry in (*drawn.content.get("events", ()), *drawn.content.get("messages", ())):
        entry.pop("documents", None)
    sharing = drawn.content.get("sharing", {})
    for decision in sharing.get("decisions", ()):
        if decision["scope"] == "document":
            decision["scope"] = "dossier"
    one, other = apart(drawn, next(NUMBERS)), apart(drawn, next(NUMBERS))
    one.content.pop("complete", None)  # type: ignore[attr-defined]
    other.content.pop("complete", None)  # type: ignore[attr-defined]

    def only(dossier: Dossier, section: str) -> Dossier:
        left = {name: dossier.content[name] for name in dossier.content if name not in SECTIONS}
        return Dossier(left | {n: dossier.content[n] for n in (section,) if n in dossier.content})

    async def law(gateway: Gateway) -> None:
        for section in SECTIONS:
            await push(gateway, only(one, section), strict=False)
        for section in order:
            await push(gateway, only(other, section), strict=False)
        found = [await pull(gateway, one), await pull(gateway, other)]
        for content in found:
            content.pop("id")
            content["person"].pop("identifiers")
        assert found[0] == found[1]

    run(database_url, clock, law)


async def test_of_several_pushes_under_one_version_exactly_one_wins(gateway, sample) -> None:
    first = await push(gateway, sample)

    def titled(number: int) -> Dossier:
        content = json.loads(dump(sample))
        content["tasks"][0]["title"] = f"Titre {number}"
        return Dossier(content)

    answers = await asyncio.gather(
        *(push(gateway, titled(number), if_match=first.etag) for number in range(8)),
        return_exceptions=True,
    )
    won = [answer for answer in answers if isinstance(answer, Receipt)]
    lost = [answer for answer in answers if isinstance(answer, PreconditionFailed)]
    assert (len(won), len(lost)) == (1, 7)


async def test_a_push_under_the_source_version_counts_while_nothing_else_changed(
    gateway, sample
) -> None:
    await push(gateway, sample)
    version = sample.content["version"]
    content = json.loads(dump(sample))
    content["version"] = "18"
    await push(gateway, Dossier(content), if_match=version)
    with pytest.raises(PreconditionFailed):
        await push(gateway, sample, if_match=version)


async def test_a_refused_entry_blocks_nothing_when_lenient_and_all_when_strict(
    gateway, sample
) -> None:
    content = json.loads(dump(sample))
    content["tasks"].append(content["tasks"][0] | {"key": "faulty", "owner": "nobody"})
    faulty = Dossier(content)
    with pytest.raises(Unprocessable) as refused:
        await push(gateway, faulty, strict=True)
    assert any("/tasks/" in str(issue.expression) for issue in refused.value.issues)
    assert (await read_record(gateway, SYSTEM, sample.tag)).versions == ()
    receipt = await push(gateway, faulty, strict=False)
    actions = {(entry.section, entry.key): entry.action for entry in receipt.entries}
    assert actions[("tasks", "faulty")] == "refused"
    assert actions[("tasks", content["tasks"][0]["key"])] == "created"
    assert [task["key"] for task in (await pull(gateway, sample))["tasks"]] == [
        content["tasks"][0]["key"]
    ]


async def test_a_push_may_refer_to_entries_that_an_earlier_one_brought(gateway, sample) -> None:
    await push(gateway, sample)
    content = json.loads(dump(sample))
    content["circle"] = []
    content["tasks"] = [content["tasks"][0] | {"key": "later", "about": "d1"}]
    for section in ("documents", "appointments"):
        content.pop(section)
    receipt = await push(gateway, Dossier(content))
    assert {(e.section, e.key): e.action for e in receipt.entries}[("tasks", "later")] == "created"
    tasks = {task["key"]: task for task in (await pull(gateway, sample))["tasks"]}
    assert tasks["later"]["about"] == "d1"


async def test_a_dry_run_tells_what_would_be_and_writes_nothing(gateway, sample) -> None:
    told = await push(gateway, sample, dry_run=True)
    assert told.dry_run
    assert {entry.action for entry in told.entries} == {"created"}
    assert (await read_record(gateway, SYSTEM, sample.tag)).versions == ()
    done = await push(gateway, sample)
    assert [(e.section, e.key, e.reference) for e in done.entries] == [
        (e.section, e.key, e.reference) for e in told.entries
    ]
    again = await push(gateway, sample, dry_run=True)
    assert {entry.action for entry in again.entries} == {"unchanged"}


async def test_what_a_complete_section_leaves_out_is_ended_and_never_lost(gateway, sample) -> None:
    await push(gateway, sample)
    content = json.loads(dump(sample))
    gone = content["tasks"].pop(0)["key"]
    content["complete"] = ["tasks", "documents"]
    ended_documents = [document["key"] for document in content.pop("documents")]
    receipt = await push(gateway, Dossier(content))
    actions = {(entry.section, entry.key): entry.action for entry in receipt.entries}
    assert actions[("tasks", gone)] == "ended"
    assert all(actions[("documents", key)] == "ended" for key in ended_documents)
    pulled = await pull(gateway, sample)
    states = {task["key"]: task["status"] for task in pulled["tasks"]}
    assert states[gone] == "entered-in-error"
    files = {document["key"]: document["files"] for document in pulled["documents"]}
    assert files == {d["key"]: d["files"] for d in sample.content["documents"]}


async def test_a_closed_dossier_takes_no_change_but_the_same_again(gateway, sample) -> None:
    from passerelle.errors.refusals import Conflict

    content = json.loads(dump(sample))
    content |= {
        "status": "closed",
        "closedAt": "2026-11-01",
        "closure": {"reason": "goals-met"},
    }
    await push(gateway, Dossier(content))
    await push(gateway, Dossier(content))
    content["tasks"][0]["title"] = "Autre titre"
    with pytest.raises(Conflict) as refused:
        await push(gateway, Dossier(content))
    assert [issue.rule for issue in refused.value.issues] == ["dossier.closed"]


async def test_two_dossiers_about_one_person_share_the_patient(gateway, sample) -> None:
    content = json.loads(dump(sample))
    content["id"]["value"] = "D-2"
    other = Dossier(content)
    await push(gateway, sample)
    await push(gateway, other)
    patients = [
        {key for key in await versions(gateway, dossier) if key.startswith("Patient/")}
        for dossier in (sample, other)
    ]
    assert patients[0] == patients[1]
    assert await pull(gateway, sample) == as_pulled(sample)
    assert await pull(gateway, other) == as_pulled(other)
    again = await push(gateway, sample)
    assert {entry.action for entry in again.entries} == {"unchanged"}
