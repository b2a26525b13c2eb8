"""The full text: what is written is found by its words, on both databases, and follows the log."""

import asyncio
import os
import signal
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.resource import Key
from passerelle.fhir.search.full_text_words import GAP, MARK, words_of
from passerelle.fhir.search.query import parse
from passerelle.store.caller import NOBODY, SYSTEM
from passerelle.store.contract import Delete, Put, Store, Unit
from passerelle.store.full_text import CATCH_UP_MAX
from passerelle.store.opening import open_store
from passerelle.store.search_sql.search_full_text import fts5_expression, ts_expression
from passerelle.store.upkeep.check import check
from passerelle.store.upkeep.full_text_again import forget_full_text, gather_full_text
from tests.databases import Clock
from tests.store.drafts import derive, make_draft

pytestmark = pytest.mark.anyio


def said(id: str, text: str, **rest: Any) -> Put:
    """Make the writing of a Patient whose narrative says something."""
    div = {"status": "generated", "div": f"<div>{text}</div>"}
    return Put(make_draft(id, text=div, **rest))


async def write(store: Store, *writes: Put | Delete) -> None:
    await store.commit(Unit(writes), SYSTEM)


async def followed(store: Store) -> None:
    """Follow to the end, also what others on the server hold back for a moment."""
    while store.full_text.on and await store.full_text.mark() < await store.full_text.newest():
        await store.full_text.step()


async def found(store: Store, *pairs: tuple[str, str], caller: Any = SYSTEM) -> list[str]:
    query = parse("Patient", pairs, strict=True)
    await followed(store)
    page = await store.search(query, caller)
    assert page.issues == ()
    return sorted(version.key.id for version in page.matches)


async def fill(store: Store) -> None:
    await write(
        store,
        said("a", "Jean-Pierre à l'hôpital", birthDate="2001-01-01"),
        said("b", "Éléonore, chute au domicile", name=[{"family": "d'Almeida"}]),
        said("c", "Pierre Jean", name=[{"family": "Éléonore"}]),
        Put(make_draft("d", name=[{"family": "Muet"}])),
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hopital", "a"),
        ("L'HÔPITAL", "a"),
        ("eleonore", "b"),
        ("jean", "ac"),
        ('"jean pierre"', "a"),
        ("jean-pierre", "a"),
        ("jean NOT hopital", "c"),
        ("not jean", "bd"),
        ("not (not jean)", "ac"),
        ("(eleonore or hopital) and domicile", "b"),
        ("hopital,domicile", "ab"),
        ("dom*", "b"),
        ("dom", ""),
        ('"au dom"', ""),
        ("generated", ""),
        ("muet", ""),
    ],
)
async def test_what_is_written_is_found_by_its_words(store: Store, text: str, wanted: str) -> None:
    await fill(store)
    assert await found(store, ("_text", text)) == list(wanted)


async def test_the_content_is_the_whole_resource(store: Store) -> None:
    await fill(store)
    assert await found(store, ("_content", "eleonore")) == ["b", "c"]
    assert await found(store, ("_content", '"d almeida" chute')) == ["b"]
    assert await found(store, ("_content", '"domicile d"')) == []  # of two texts


async def test_it_goes_with_other_criteria_orders_counts_and_pages(store: Store) -> None:
    await fill(store)
    assert await found(store, ("_text", "jean"), ("birthdate", "2001")) == ["a"]
    assert await found(store, ("_id", "a,b"), ("_text", "jean")) == ["a"]
    assert await found(store, ("_text", "jean"), ("_content", "eleonore")) == ["c"]
    asked = [("_text", "not rien"), ("_sort", "-_id"), ("_count", "1"), ("_total", "accurate")]
    pages, cursor = [], None
    while True:
        query = parse("Patient", [*asked, *([("_cursor", cursor)] if cursor else [])], strict=True)
        page = await store.search(query, SYSTEM)
        pages += [version.key.id for version in page.matches]
        assert page.total == 4
        cursor = page.next
        if cursor is None:
            break
    assert pages == list("dcba")


async def test_it_stands_in_chains(store: Store) -> None:
    await fill(store)
    link = {"reference": "Patient/b"}
    await write(store, Put(make_draft("o", type="Observation", subject=link)))
    for name in ("subject._text", "subject:Patient._content"):
        page = await store.search(parse("Observation", [(name, "chute")], strict=True), SYSTEM)
        assert [version.key.id for version in page.matches] == ["o"]
    assert await found(store, ("_has:Observation:subject:_content", "chute")) == []


async def test_nobody_finds_anything(store: Store) -> None:
    await fill(store)
    assert await found(store, ("_text", "jean"), caller=NOBODY) == []
    assert await found(store, ("_text", "not jean"), caller=NOBODY) == []
    assert await found(store, ("_id", "a"), ("_text", "jean"), caller=NOBODY) == []


async def test_a_change_and_a_deletion_are_followed(store: Store, database_url: str) -> None:
    await fill(store)
    assert await found(store, ("_text", "hopital")) == ["a"]
    await write(store, said("a", "rentré"), Delete(Key("Patient", "c")))
    assert await found(store, ("_text", "hopital")) == []
    assert await found(store, ("_text", "rentre")) == ["a"]
    assert await found(store, ("_text", "pierre")) == []
    report = await check(database_url, derive, now=0)
    assert report.clean, report.findings


async def test_what_stands_aside_is_not_found(store: Store) -> None:
    from dataclasses import replace

    draft = make_draft("e", name=[{"family": "Discret"}])
    await write(store, Put(replace(draft, aside=b'{"value": "279035121518989"}')))
    assert await found(store, ("_content", "discret")) == ["e"]
    assert await found(store, ("_content", "279035121518989")) == []


async def test_a_search_says_how_current_it_is_when_it_lags(store: Store) -> None:
    puts = [said(f"n{n}", "beaucoup") for n in range(CATCH_UP_MAX + 1)]
    await write(store, *puts)
    page = await store.search(parse("Patient", [("_text", "beaucoup")], strict=True), SYSTEM)
    assert page.matches == ()
    assert [issue.rule for issue in page.issues] == ["search.full-text-behind"]  # type: ignore[attr-defined]
    while await store.full_text.step(250):
        pass
    query = parse("Patient", [("_text", "beaucoup"), ("_summary", "count")], strict=True)
    assert (await store.search(query, SYSTEM)).total == CATCH_UP_MAX + 1


async def test_a_record_without_it_refuses_by_name(database_url: str, clock: Clock) -> None:
    store = open_store(database_url, clock=clock, full_text=False)
    await store.open()
    with pytest.raises(Invalid) as refusal:
        await found(store, ("_text", "a"))
    assert [said.rule for said in refusal.value.issues] == ["search.parameter-not-supported"]
    await store.close()


async def test_it_is_gathered_again(store: Store, database_url: str) -> None:
    await fill(store)
    assert await found(store, ("_text", "jean")) == ["a", "c"]
    await forget_full_text(database_url)
    assert await store.full_text.mark() == (0, 0)
    assert (await check(database_url, derive, now=0)).clean
    assert await gather_full_text(store) == 4
    assert await found(store, ("_text", "jean")) == ["a", "c"]
    assert (await check(database_url, derive, now=0)).clean


async def test_a_check_finds_words_that_differ(store: Store, database_url: str) -> None:
    from passerelle.store.sql.compiling import Compiled
    from passerelle.store.upkeep.maintenance import session

    await fill(store)
    assert await found(store, ("_text", "jean")) == ["a", "c"]
    async with session(database_url) as opened:
        for sql in (
            "DELETE FROM full_text WHERE rowid = (SELECT pid FROM resource WHERE id = 'a')",
            "UPDATE full_text SET narrative = content "
            "WHERE rowid = (SELECT pid FROM resource WHERE id = 'c')",
        ):
            await opened.begin(write=True)
            await opened.rows(Compiled(sql, (), {}))
            await opened.end()
    report = await check(database_url, derive, now=0)
    assert sorted(report.findings) == [
        ("full-text-differs", "Patient/a"),
        ("full-text-differs", "Patient/c"),
    ]


async def test_followers_and_writers_at_once_lose_nothing(
    store: Store, database_url: str, clock: Clock
) -> None:
    other = open_store(database_url, clock=clock)
    await other.open()

    async def writer(name: str) -> None:
        for n in range(15):
            await write(store, said(f"{name}{n % 5}", f"tour {name}{n}"))

    async def reader() -> None:
        for _ in range(15):
            for one in (store, other):
                await one.search(parse("Patient", [("_text", "tour")], strict=True), SYSTEM)

    await asyncio.gather(writer("x"), writer("y"), reader(), other.full_text.step(7))
    for one in (store, other):
        assert len(await found(one, ("_text", "tour"))) == 10
        assert await found(one, ("_text", "x14")) == ["x4"]
        assert await found(one, ("_text", "x4")) == []
    await other.close()
    assert (await check(database_url, derive, now=0)).clean


KILLED = """
import asyncio, sys
from passerelle.store.opening import open_store
async def main():
    store = open_store(sys.argv[1], clock=lambda: 0)
    await store.open()
    while True:
        await store.full_text.step(3)
        print("step", flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("steps", [1, 4])
async def test_a_follower_that_is_killed_is_gone_on_from(
    store: Store, database_url: str, steps: int
) -> None:
    await write(store, *(said(f"k{n}", "reste") for n in range(40)))
    program = (sys.executable, "-c", KILLED, database_url)
    process = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(steps):
        await process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert (await check(database_url, derive, now=0)).clean
    assert len(await found(store, ("_text", "reste"))) == 40
    assert (await check(database_url, derive, now=0)).clean


texts = st.text(max_size=40)


@given(kept=st.lists(texts, min_size=1, max_size=3), asked=st.text(max_size=25))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_words_of_random_texts_are_found_and_others_not(
    word_store: Any, kept: list[str], asked: str
) -> None:
    runner, store = word_store
    kept = ["".join(c for c in text if c.isprintable()) for text in kept]
    puts = [Put(make_draft(f"r{n}", name=[{"family": text}])) for n, text in enumerate(kept)]
    gone = [Delete(Key("Patient", f"r{n}")) for n in range(len(kept), 3)]
    runner.run(write(store, *puts, *gone))
    words = sorted({w for text in (*kept, asked) for w in words_of(text)} - {GAP, MARK})[:6]
    for word in words:
        wanted = [f"r{n}" for n, text in enumerate(kept) if word in words_of(text)]
        quoted = f'"{word}"'
        assert runner.run(found(store, ("_content", quoted))) == wanted
        rest = [f"r{n}" for n in range(len(kept)) if f"r{n}" not in wanted]
        assert runner.run(found(store, ("_content", f"not {quoted}"))) == rest
    try:
        runner.run(found(store, ("_content", asked)))
    except Invalid:
        return  # said to be no expression; never a fault of the database's


@pytest.fixture
def word_store(database_url: str, clock: Clock) -> Any:
    with asyncio.Runner() as runner:
        store = open_store(database_url, clock=clock)
        runner.run(store.open())
        yield runner, store
        runner.run(store.close())


def test_expressions_are_spelled_for_each_database() -> None:
    value = parse("Patient", [("_text", 'a (b* or "c d") not e')], strict=True).clauses[0]
    tree = value.values[0].tree  # type: ignore[union-attr]
    assert fts5_expression(tree) == f'("a" AND ("b" * OR "c d") AND ("{MARK}" NOT "e"))'
    assert ts_expression(tree) == "(('a') & (('b':*) | ('c' <-> 'd')) & !('e'))"
