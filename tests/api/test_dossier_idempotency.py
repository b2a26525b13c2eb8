"""A push that comes again under its Idempotency-Key has the receipt of the first time."""

import asyncio
import json

import pytest

from passerelle.dossiers.exchange import idempotency
from passerelle.store.caller import SYSTEM
from tests.dossiers.many_dossiers import small, tag_of

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
KEY = JSON | {"idempotency-key": "essai-1"}


async def push(served, dossier, headers=KEY, query=""):
    body = json.dumps(dossier).encode()
    return await served.ask("PUT", f"/dossiers/{tag_of(dossier)}{query}", body, headers)


async def test_the_same_push_has_the_same_receipt_and_is_done_once(served):
    first = await push(served, small(1))
    await push(served, small(1, status="suspended"), JSON)
    again = await push(served, small(1))
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    now = (await served.ask("GET", f"/dossiers/{tag_of(small(1))}")).json()
    assert now["status"] == "suspended"
    minimal = await push(served, small(1), KEY | {"prefer": "return=minimal"})
    assert (minimal.status_code, minimal.content) == (201, b"")


@pytest.mark.parametrize(
    "other",
    [
        {"dossier": small(1, status="suspended")},
        {"dossier": small(2)},
        {"dossier": small(1), "headers": KEY | {"prefer": "handling=strict"}},
        {"dossier": small(1), "headers": KEY | {"if-match": '"x"'}},
    ],
)
async def test_the_key_of_another_push_is_refused(served, rules, other):
    await push(served, small(1))
    answer = await push(served, **other)
    assert (answer.status_code, rules(answer)) == (422, ["dossier.idempotency-key-reused"])


async def test_a_push_that_was_refused_is_tried_again(served, rules):
    wrong = small(1, status="open")
    for _ in range(2):
        assert (await push(served, wrong)).status_code == 422
    assert (await push(served, small(1))).status_code == 201


async def test_a_dry_run_takes_no_key(served):
    assert (await push(served, small(1), query="?dryRun=true")).status_code == 200
    assert (await push(served, small(1))).status_code == 201


async def test_who_asks_while_it_is_under_way_is_told_so_and_one_push_is_done(served, rules):
    answers = await asyncio.gather(*(push(served, small(1)) for _ in range(4)))
    statuses = sorted(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    for answer in answers:
        if answer.status_code == 409:
            assert rules(answer) == ["dossier.idempotency-under-way"]
    assert (await push(served, small(1))).status_code == 201


async def test_a_key_is_forgotten_after_a_day_and_one_left_behind_after_a_while(served):
    kept = served.gateway.store.kept_answers
    asked = {"holder": "a", "now": 0, "lease": 10, "expires": 100}
    assert await kept.begin("k", "r", **asked) is None
    assert (await kept.begin("k", "r", **asked | {"holder": "b"})).status is None
    late = {"holder": "b", "now": 10, "lease": 20, "expires": 100}
    assert await kept.begin("k", "r", **late) is None
    await kept.keep("k", holder="a", status=200, etag="x", body=b"lost")
    await kept.keep("k", holder="b", status=200, etag="e", body=b"{}")
    found = await kept.begin("k", "r", **late | {"holder": "c", "now": 99})
    assert (found.status, found.etag, found.body) == (200, "e", b"{}")
    assert await kept.begin("k", "r2", **late | {"holder": "c", "now": 100}) is None


async def test_neither_key_nor_body_is_kept(served):
    await push(served, small(1))
    kept = served.gateway.store.kept_answers
    rows = await kept._runner.rows("SELECT key, request, body FROM kept_answer", ())
    ((key, request, body),) = [tuple(row) for row in rows]
    assert (len(key), len(request)) == (64, 64)
    assert b"ALMEIDA" not in bytes(body)
    assert "essai" not in key


@pytest.mark.parametrize("key", ["", '""', "x" * 256])
async def test_what_is_no_key_is_refused(served, rules, key):
    answer = await push(served, small(1), JSON | {"idempotency-key": key})
    assert (answer.status_code, rules(answer)) == (400, ["dossier.idempotency-key"])


async def test_a_fault_of_the_gateway_lets_go_of_the_key(served):
    async def fail():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await idempotency.once(served.gateway, SYSTEM, "k", ("x",), fail)

    async def take():
        return idempotency.Answered(200, "e", b"{}")

    answered = await idempotency.once(served.gateway, SYSTEM, "k", ("x",), take)
    assert not answered.again
