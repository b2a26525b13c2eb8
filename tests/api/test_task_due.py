"""Which tasks are overdue is asked by when they are due: a search parameter of our own."""

import pytest

pytestmark = pytest.mark.anyio
OPEN = "requested,accepted,in-progress,on-hold"


def task(id: str, due: str | None, status: str = "requested") -> dict:
    made = {"resourceType": "Task", "id": id, "status": status, "intent": "order"}
    return made | ({"restriction": {"period": {"end": due}}} if due else {})


async def found(served, asked: str) -> list[str]:
    answer = await served.ask("GET", f"/fhir/Task?{asked}", headers={"prefer": "handling=strict"})
    assert answer.status_code == 200, answer.text
    return [entry["resource"]["id"] for entry in answer.json().get("entry", ())]


async def test_tasks_that_are_overdue_are_those_due_before_now_and_not_done(served):
    for one in (
        task("old", "2026-02-15"),
        task("earlier", "2026-01-31T10:00:00Z"),
        task("today", "2026-11-24"),
        task("later", "2026-11-25T08:00:00+01:00"),
        task("done", "2026-02-15", "completed"),
        task("some-day", None),
    ):
        await served.kept(one)
    overdue = f"status={OPEN}&due=eb2026-11-24T10:00:00Z&_sort=due"
    assert await found(served, overdue) == ["earlier", "old"]
    next_day = f"status={OPEN}&due=eb2026-11-25T00:00:00Z&_sort=-due"
    assert await found(served, next_day) == ["today", "old", "earlier"]
    assert await found(served, "due:missing=true") == ["some-day"]


async def test_the_parameter_is_claimed_with_its_definition(served):
    claimed = (await served.ask("GET", "/fhir/metadata")).json()["rest"][0]["resource"]
    of_task = next(each for each in claimed if each["type"] == "Task")["searchParam"]
    (due,) = (each for each in of_task if each["name"] == "due")
    assert (due["type"], due["definition"]) == (
        "date",
        "https://passerelle.example/fhir/SearchParameter/Task-due",
    )
