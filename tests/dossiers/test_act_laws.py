"""The laws of acts over drawn dossiers: twice is once, reopened or cancelled is as before."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.dossiers.exchange.acting import Asked, act
from passerelle.dossiers.exchange.death import Declaration, declare
from passerelle.dossiers.exchange.death_undone import cancel
from passerelle.dossiers.gateway import Gateway
from passerelle.mappers.native.dossier import Dossier
from passerelle.mappers.native.dossier_acts import REASONS, Closing
from passerelle.store.caller import SYSTEM
from tests.dossiers.test_push_laws import DRAWN, NUMBERS, SLOW, apart, pull, push, run, versions
from tests.strategies.dossiers import dossiers

pytestmark = pytest.mark.anyio
OPEN = ("proposed", "active", "suspended")
AT = "2041-01-01T00:00:00Z"


def may_act(dossier: Dossier) -> bool:
    return dossier.content["status"] in OPEN and bool(dossier.section("circle"))


def is_alive(dossier: Dossier) -> bool:
    death = dossier.content["person"].get("death", {})
    return not death or death.get("source") == "cancelled"


def of_state(dossier: dict[str, Any]) -> dict[str, Any]:
    return {name: dossier[name] for name in dossier if name not in ("version", "updatedAt")}


@settings(max_examples=8, deadline=None, phases=DRAWN, suppress_health_check=SLOW)
@given(drawn=dossiers().filter(may_act), reason=st.sampled_from(REASONS), ends=st.booleans())
def test_a_close_is_done_once_and_reopened_the_rest_is_what_was(
    drawn: Dossier, reason: str, ends: bool, database_url: str, clock
) -> None:
    dossier = apart(drawn, next(NUMBERS))
    by, destiny = dossier.section("circle")[0]["key"], "cancel" if ends else "keep"
    closing = Closing(reason, "Texte.", destiny, destiny)

    async def law(gateway: Gateway) -> None:
        await push(gateway, dossier)
        before = of_state(await pull(gateway, dossier))
        asked = Asked("close", by, AT, closing)
        planned = await act(gateway, SYSTEM, dossier.tag, asked._replace(dry_run=True))
        assert of_state(await pull(gateway, dossier)) == before
        done = await act(gateway, SYSTEM, dossier.tag, asked)
        assert done.dossiers == planned.dossiers
        closed, written = await pull(gateway, dossier), await versions(gateway, dossier)
        assert (closed["status"], closed["closedAt"]) == ("closed", AT)
        again = await act(gateway, SYSTEM, dossier.tag, asked)
        assert again.receipt.entries == ()
        assert await versions(gateway, dossier) == written
        await act(gateway, SYSTEM, dossier.tag, Asked("reopen", by, AT))
        after = of_state(await pull(gateway, dossier))
        changed = {"status", "closedAt", "closure"} | ({"tasks", "appointments"} if ends else set())
        assert after["status"] == "active"
        for name in before.keys() | after.keys():
            if name not in changed:
                assert after.get(name) == before.get(name), name

    run(database_url, clock, law)


@settings(max_examples=8, deadline=None, phases=DRAWN, suppress_health_check=SLOW)
@given(drawn=dossiers().filter(may_act).filter(is_alive), close=st.booleans())
def test_a_death_that_is_cancelled_leaves_the_dossier_as_it_was(
    drawn: Dossier, close: bool, database_url: str, clock
) -> None:
    dossier = apart(drawn, next(NUMBERS))
    by = dossier.section("circle")[0]["key"]
    facts = {"date": "2040-12-31", "place": "Domicile", "source": "declared"}

    async def law(gateway: Gateway) -> None:
        await push(gateway, dossier)
        before = await pull(gateway, dossier)
        asked = Declaration(by, facts, AT, close)
        await declare(gateway, SYSTEM, dossier.tag, asked)
        found, written = await pull(gateway, dossier), await versions(gateway, dossier)
        assert found["person"]["death"]["date"] == "2040-12-31"
        again = await declare(gateway, SYSTEM, dossier.tag, asked)
        assert again.receipt.entries == ()
        assert await versions(gateway, dossier) == written
        await cancel(gateway, SYSTEM, dossier.tag, by, None, dry_run=False)
        assert await pull(gateway, dossier) == before

    run(database_url, clock, law)
