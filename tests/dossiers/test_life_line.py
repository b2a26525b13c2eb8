"""The life line beside a plain look at every resource of drawn dossiers."""

from typing import Any

import pytest
from hypothesis import given, settings

from passerelle.dossiers.exchange.dossier_record import read_record, resource_of
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.rights_columns import rights_columns
from passerelle.fhir.search.date_interval import BEFORE_ALL, interval
from passerelle.fhir.search.life_line_scope import KINDS
from passerelle.mappers.native.dossier import Dossier
from passerelle.store.caller import SYSTEM
from passerelle.store.gathering import LifeLine
from tests.dossiers.test_push_laws import DRAWN, NUMBERS, SLOW, apart, push, run
from tests.strategies.dossiers import dossiers

Json = dict[str, Any]

PLACES = {
    "EpisodeOfCare": ("period",),
    "Encounter": ("period",),
    "Observation": ("effectiveDateTime", "effectivePeriod"),
    "DocumentReference": ("date",),
    "QuestionnaireResponse": ("authored",),
    "Appointment": ("start",),
    "Task": ("authoredOn",),
    "Flag": ("period",),
    "Communication": ("sent", "received"),
    "Consent": ("dateTime",),
}
"""Where each type has its date; of a period the start counts."""


def moment(resource: Json) -> int | None:
    """Give where a resource stands on the line, None when it is not on it."""
    type_ = resource["resourceType"]
    if resource.get("status") == "entered-in-error":
        return None
    if type_ == "CareTeam":
        periods = [one.get("period", {}) for one in resource.get("participant", ())]
        dates = [date for one in periods for date in one.values()]
        return max((low(date) for date in dates), default=None)
    if type_ == "Observation" and rights_columns(resource).element != "events":
        return None
    stated = [resource[name] for name in PLACES.get(type_, ()) if name in resource]
    starts = [one.get("start") if isinstance(one, dict) else one for one in stated]
    return max((BEFORE_ALL if one is None else low(one) for one in starts), default=None)


def low(text: str) -> int:
    found = interval(text)
    assert found is not None
    return found.low


def law_over(drawn: Dossier, database_url: str, clock: Any) -> None:
    dossier = apart(drawn, next(NUMBERS))

    async def law(gateway: Gateway) -> None:
        receipt = await push(gateway, dossier)
        person = next(one.reference for one in receipt.entries if one.section == "person")
        assert person is not None
        patient = person.partition("/")[2]
        record = await read_record(gateway, SYSTEM, dossier.tag)
        held = [(version.pid, resource_of(version)) for version in record.tagged]
        placed = [(at, pid, one) for pid, one in held if (at := moment(one)) is not None]
        expected = [one for _, _, one in sorted(placed, key=lambda each: each[:2])]
        names = [f"{one['resourceType']}/{one['id']}" for one in expected]
        assert await line(gateway, patient, 3) == names
        assert await line(gateway, patient, 100, latest_first=True) == names[::-1]
        by_kind = [name for kind in KINDS for name in await line(gateway, patient, 7, (kind,))]
        assert sorted(by_kind) == sorted(names)

    run(database_url, clock, law)


async def line(
    gateway: Gateway,
    patient: str,
    count: int,
    kinds: tuple[str, ...] = (),
    *,
    latest_first: bool = False,
) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        asked = LifeLine((patient,), count, kinds, latest_first=latest_first, cursor=cursor)
        page = await gateway.store.life_line(asked, SYSTEM)
        found += [str(version.key) for version in page.matches]
        assert len(page.matches) <= count
        if page.next is None:
            return found
        cursor = page.next


@settings(max_examples=15, deadline=None, phases=DRAWN, suppress_health_check=SLOW)
@given(drawn=dossiers())
def test_the_line_is_what_a_look_at_every_resource_gives(
    drawn: Dossier, database_url: str, clock: Any
) -> None:
    law_over(drawn, database_url, clock)


@pytest.mark.nightly
@settings(max_examples=500, deadline=None, phases=DRAWN, suppress_health_check=SLOW)
@given(drawn=dossiers())
def test_the_line_is_what_a_look_at_every_resource_gives_over_many_dossiers(
    drawn: Dossier, database_url: str, clock: Any
) -> None:
    law_over(drawn, database_url, clock)
