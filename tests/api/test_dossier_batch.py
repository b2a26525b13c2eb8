"""Many dossiers in one request: a receipt for each line, in order, while the lines still come."""

import asyncio
import gzip
import json
import threading

import pytest

from passerelle.api.answer_spool import AnswerSpool
from passerelle.dossiers.exchange import batch as batches
from tests.api.conftest import BODY_LIMIT
from tests.dossiers.many_dossiers import small, tag_of

pytestmark = pytest.mark.anyio
NDJSON = {"content-type": "application/x-ndjson"}


def body(*dossiers):
    return b"".join(
        (each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n"
        for each in dossiers
    )


async def send(served, content, query="", **headers):
    named = NDJSON | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await served.ask("POST", f"/dossiers:batch{query}", content, named)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_each_line_has_its_receipt_in_the_order_of_the_lines(served):
    given = [small(number) for number in range(20)]
    told = await send(served, body(*given))
    assert [(one["line"], one["status"], one["dossier"]) for one in told] == [
        (number, 201, tag_of(dossier)) for number, dossier in enumerate(given, 1)
    ]
    for one in told:
        assert one["receipt"]["dossier"] == one["dossier"]
        pulled = await served.ask("GET", f"/dossiers/{one['dossier']}")
        assert pulled.headers["etag"] == f'"{one["receipt"]["version"]}"'
    again = await send(served, body(*given), prefer="return=minimal")
    assert {one["status"] for one in again} == {200}
    assert all(one["actions"].keys() == {"unchanged"} for one in again)
    assert [one["version"] for one in again] == [one["receipt"]["version"] for one in told]


async def test_a_broken_line_is_refused_by_its_number_and_the_others_go_on(served):
    long = json.dumps(small(9) | {"ext": {"x": "y" * BODY_LIMIT}}).encode()
    bad = small(2) | {"status": "open"}
    told = await send(served, body(small(1), b"{", b"", bad, long, b"[1]", small(3)) + b"null")
    assert [(one["line"], one["status"]) for one in told] == [
        (1, 201),
        (2, 400),
        (4, 422),
        (5, 413),
        (6, 400),
        (7, 201),
        (8, 400),
    ]
    assert told[2]["dossier"] == tag_of(bad)
    assert [each["rule"] for each in told[3]["issues"]] == ["dossier.line-too-long"]
    assert all(one["issues"] for one in told if one["status"] >= 400)


async def test_lines_of_one_dossier_are_taken_in_their_order(served):
    turns = [small(1, updatedAt=f"2026-01-01T00:00:{turn:02}Z") for turn in range(12)]
    told = await send(served, body(*turns))
    assert [one["status"] for one in told] == [201] + [200] * 11
    pulled = (await served.ask("GET", f"/dossiers/{tag_of(turns[0])}")).json()
    assert pulled["updatedAt"] == turns[-1]["updatedAt"]


async def test_what_is_left_is_sent_again_under_its_own_numbers(served):
    given = [small(number) for number in range(6)]
    first = await send(served, body(*given[:4]))
    rest = await send(served, body(*given[3:]), f"?from={first[-1]['line']}")
    assert [(one["line"], one["status"]) for one in rest] == [(4, 200), (5, 201), (6, 201)]


async def test_a_dry_run_of_a_batch_writes_nothing(served):
    told = await send(served, body(small(1)), "?dryRun=true")
    assert (told[0]["status"], told[0]["receipt"]["dryRun"]) == (200, True)
    assert (await served.ask("GET", f"/dossiers/{tag_of(small(1))}")).status_code == 404


async def test_a_batch_may_be_compressed_and_is_refused_where_it_breaks(served):
    whole = gzip.compress(body(*[small(number) for number in range(3)]))
    assert len(await send(served, whole, content_encoding="gzip")) == 3
    told = await send(served, whole[:-20], content_encoding="gzip")
    assert told[-1]["status"] == 400
    assert "line" not in told[-1]


@pytest.mark.parametrize(
    ("headers", "query", "status", "rule"),
    [
        ({"content-type": "application/json"}, "", 415, "dossier.ndjson-expected"),
        (NDJSON | {"idempotency-key": "x"}, "", 400, "dossier.batch-key"),
        (NDJSON, "?from=0", 400, "http.parameter-malformed"),
        (NDJSON, "?dry=1", 400, "dossier.parameter-unknown"),
    ],
)
async def test_what_is_no_batch_is_refused(served, rules, headers, query, status, rule):
    answer = await served.ask("POST", f"/dossiers:batch{query}", b"{}\n", headers)
    assert (answer.status_code, rules(answer)) == (status, [rule])


async def test_receipts_come_while_the_body_still_does(served):
    sent: asyncio.Queue = asyncio.Queue()
    told: asyncio.Queue = asyncio.Queue()

    async def receive():
        return await sent.get()

    async def reply(message):
        if message.get("body"):
            await told.put(json.loads(message["body"]))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/dossiers:batch",
        "raw_path": b"/dossiers:batch",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-ndjson")],
        "scheme": "http",
        "http_version": "1.1",
        "server": ("127.0.0.1", 80),
        "asgi": {"version": "3.0"},
    }
    asked = asyncio.create_task(served.door(scope, receive, reply))
    for number in range(3):
        line = body(small(number))
        for part in (line[:100], line[100:]):
            await sent.put({"type": "http.request", "body": part, "more_body": True})
        assert (await told.get())["line"] == number + 1
    await sent.put({"type": "http.disconnect"})
    await asked
    assert served.gateway.store is not None


async def test_an_answer_that_nobody_reads_yet_does_not_hold_its_source_up():
    wanted = [b"%06d" % number * 1_000 for number in range(400)]  # more than stays in memory

    ended = asyncio.Event()

    async def source():
        for part in wanted:
            yield part
        ended.set()

    chunks = AnswerSpool(source()).chunks()
    first = await anext(chunks)
    await ended.wait()
    assert first + b"".join([part async for part in chunks]) == b"".join(wanted)
    assert threading.active_count() < 50


async def test_only_so_much_is_under_way_at_once(served, monkeypatch):
    monkeypatch.setattr(batches, "BYTES_UNDER_WAY", 3 * len(body(small(1))))
    most = 0
    receive = batches.receive

    async def counted(*given, **how):
        nonlocal most
        most = max(most, sum(len(each) for each in under_way) + len(given[3]))
        under_way.append(given[3])
        try:
            return await receive(*given, **how)
        finally:
            under_way.remove(given[3])

    under_way: list[bytes] = []
    monkeypatch.setattr(batches, "receive", counted)
    assert len(await send(served, body(*[small(number) for number in range(12)]))) == 12
    assert 0 < most <= batches.BYTES_UNDER_WAY
