"""Many at once on one thing, over HTTP: four server processes on PostgreSQL, one on SQLite."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.flows import bad_input, record
from tests.flows.conftest import new_database
from tests.flows.gateway_process import GatewayProcess

pytestmark = pytest.mark.anyio
MANY = 64
PUSHES = 24
PROCESSES = {"sqlite": 1, "postgresql": 4}
SYSTEM = "https://hopital.example/ipp"
SOURCE = {"source": "https://hopital.example"}
FHIR = {"content-type": "application/fhir+json"}
NAME = "https://coordination.example/dossiers"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("races")
    count = PROCESSES[request.param]
    for database_url in new_database(request.param, request, folder):
        arguments = ("--workers", str(count)) if count > 1 else ()
        with GatewayProcess(database_url, folder, *arguments) as process:
            process.start().wait_ready(processes=count)
            yield process
        assert '"fault"' not in process.told()


@pytest.fixture
async def client(served: GatewayProcess) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=MANY)
    async with httpx.AsyncClient(base_url=served.url, timeout=120, limits=limits) as opened:
        yield opened


async def at_once(
    ask: Callable[[int], Awaitable[httpx.Response]], many: int = MANY
) -> list[httpx.Response]:
    """Ask as many times at once."""
    return list(await asyncio.gather(*(ask(number) for number in range(many))))


def patient(value: str, *, claimed: bool = False) -> dict[str, Any]:
    made = {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": value}]}
    return made | ({"meta": SOURCE} if claimed else {})


async def matches(client: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    bundle = (await client.get(f"/fhir/{query}&_count=1000")).json()
    return [entry["resource"] for entry in bundle.get("entry", ())]


@pytest.mark.parametrize("claimed", [False, True], ids=["anybody's", "its source's own"])
async def test_identical_conditional_creates_make_one_resource(
    client: httpx.AsyncClient, claimed: bool
) -> None:
    value = f"create-{claimed}"
    body = json.dumps(patient(value, claimed=claimed))
    headers = FHIR | {"if-none-exist": f"identifier={SYSTEM}|{value}"}
    answers = await at_once(lambda _: client.post("/fhir/Patient", content=body, headers=headers))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: MANY - 1}
    (made,) = await matches(client, f"Patient?identifier={SYSTEM}|{value}")
    assert {answer.json()["id"] for answer in answers} == {made["id"]}
    assert made["meta"]["versionId"] == "1"


async def test_creates_under_one_condition_in_other_words_make_one_resource(
    client: httpx.AsyncClient,
) -> None:
    body = json.dumps(patient("words") | {"active": True, "gender": "female"})
    words = [
        f"identifier={SYSTEM}|words",
        f"gender=female&identifier={SYSTEM}|words",
        f"identifier={SYSTEM}|words&active=true",
        f"Patient?active=true&gender=female&identifier={SYSTEM}%7Cwords",
    ]
    answers = await at_once(
        lambda number: client.post(
            "/fhir/Patient", content=body, headers=FHIR | {"if-none-exist": words[number % 4]}
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: MANY - 1}
    assert len(await matches(client, f"Patient?identifier={SYSTEM}|words")) == 1


async def test_transactions_with_the_same_conditional_create_share_one_resource(
    client: httpx.AsyncClient,
) -> None:
    urn = "urn:uuid:6f1cf2a8-5f0f-4b5c-9e86-6b7a3a5f0c11"

    def bundle(number: int) -> str:
        condition = f"identifier={SYSTEM}|shared"
        created = bad_input.creation(patient("shared"), ifNoneExist=condition) | {"fullUrl": urn}
        task = {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "description": f"Tâche {number}",
            "for": {"reference": urn},
        }
        return json.dumps(bad_input.transaction(created, bad_input.creation(task)))

    answers = await at_once(
        lambda number: client.post("/fhir", content=bundle(number), headers=FHIR)
    )
    assert {answer.status_code for answer in answers} == {200}
    (made,) = await matches(client, f"Patient?identifier={SYSTEM}|shared")
    entries = [answer.json()["entry"] for answer in answers]
    statuses = Counter(entry[0]["response"]["status"][:3] for entry in entries)
    assert statuses == {"201": 1, "200": MANY - 1}
    tasks = await matches(client, f"Task?patient=Patient/{made['id']}")
    wanted = {f"Tâche {number}" for number in range(MANY)}
    assert (len(tasks), {task["description"] for task in tasks}) == (MANY, wanted)


async def test_updates_under_the_version_that_was_read_lose_nothing(
    client: httpx.AsyncClient,
) -> None:
    address = "/fhir/Patient/if-match"
    first = {"resourceType": "Patient", "id": "if-match"}
    await client.put(address, content=json.dumps(first), headers=FHIR)

    async def add(number: int) -> httpx.Response:
        while True:
            read = await client.get(address)
            body = read.json()
            body.setdefault("telecom", []).append({"system": "phone", "value": str(number)})
            headers = FHIR | {"if-match": read.headers["etag"]}
            answer = await client.put(address, content=json.dumps(body), headers=headers)
            if answer.status_code != 412:
                return answer

    answers = await at_once(add)
    assert {answer.status_code for answer in answers} == {200}
    kept = (await client.get(address)).json()
    assert sorted(int(one["value"]) for one in kept["telecom"]) == list(range(MANY))
    await demand_gapless(client, address, MANY + 1)


async def test_updates_at_once_make_versions_without_a_gap(client: httpx.AsyncClient) -> None:
    def body(number: int) -> str:
        return json.dumps({"resourceType": "Patient", "id": "put", "telecom": [{"rank": number}]})

    address = "/fhir/Patient/put"
    answers = await at_once(
        lambda number: client.put(address, content=body(number + 1), headers=FHIR)
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: MANY - 1}
    etags = {answer.headers["etag"] for answer in answers}
    assert etags == {f'W/"{number + 1}"' for number in range(MANY)}
    await demand_gapless(client, address, MANY)


async def test_conditional_updates_make_one_resource(client: httpx.AsyncClient) -> None:
    def body(number: int) -> str:
        return json.dumps(patient("updated") | {"telecom": [{"rank": number}]})

    address = f"/fhir/Patient?identifier={SYSTEM}|updated"
    answers = await at_once(
        lambda number: client.put(address, content=body(number + 1), headers=FHIR)
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: MANY - 1}
    (made,) = await matches(client, f"Patient?identifier={SYSTEM}|updated")
    await demand_gapless(client, f"/fhir/Patient/{made['id']}", MANY)


async def demand_gapless(client: httpx.AsyncClient, address: str, count: int) -> None:
    """See that the history has every version from the first one to that one, once."""
    bundle = (await client.get(f"{address}/_history?_count=1000")).json()
    versions = [int(entry["resource"]["meta"]["versionId"]) for entry in bundle["entry"]]
    assert versions == list(range(count, 0, -1))


def dossier(value: str, *tasks: int, person: str = "P-1", title: str = "Titre") -> dict[str, Any]:
    made = bad_input.dossier(id={"system": NAME, "value": value})
    made["person"]["identifiers"][0]["value"] = f"{value}-{person}"
    made["tasks"] = [
        {
            "key": f"t{number}",
            "title": f"{title} {number}",
            "status": "requested",
            "createdAt": "2026-11-20T10:00:00+01:00",
            "requester": "m1",
        }
        for number in tasks
    ]
    return made


async def push(
    client: httpx.AsyncClient, content: dict[str, Any], **headers: str
) -> httpx.Response:
    name = f"{content['id']['system']}|{content['id']['value']}"
    given = {"content-type": "application/json", "prefer": "handling=strict"} | headers
    return await client.put(f"/dossiers/{name}", content=json.dumps(content), headers=given)


async def test_pushes_of_one_dossier_lose_no_entry(client: httpx.AsyncClient) -> None:
    answers = await at_once(lambda number: push(client, dossier("lost", number)), PUSHES)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: PUSHES - 1}
    pulled = (await client.get(f"/dossiers/{NAME}|lost")).json()
    assert {task["key"] for task in pulled["tasks"]} == {f"t{number}" for number in range(PUSHES)}


async def test_of_many_pushes_under_one_version_one_wins(client: httpx.AsyncClient) -> None:
    first = await push(client, dossier("wins", 0))

    async def change(number: int) -> httpx.Response:
        content = dossier("wins", 0, title=f"Titre de {number}")
        return await push(client, content, **{"if-match": first.headers["etag"]})

    answers = await at_once(change, PUSHES)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: PUSHES - 1}
    (won,) = [number for number, a in enumerate(answers) if a.status_code == 200]
    pulled = (await client.get(f"/dossiers/{NAME}|wins")).json()
    assert [task["title"] for task in pulled["tasks"]] == [f"Titre de {won} 0"]


async def test_dossiers_about_one_person_pushed_at_once_share_the_patient(
    client: httpx.AsyncClient,
) -> None:
    def content(number: int) -> dict[str, Any]:
        made = dossier(f"shared-{number}", 0)
        made["person"]["identifiers"][0]["value"] = "shared-person"
        return made

    answers = await at_once(lambda number: push(client, content(number)), PUSHES)
    assert {answer.status_code for answer in answers} == {201}
    persons = {
        entry["reference"]
        for answer in answers
        for entry in answer.json()["entries"]
        if entry["section"] == "person"
    }
    assert len(persons) == 1
    shared = (await client.get(f"/fhir/{persons.pop()}")).json()
    tags = {tag["code"] for tag in shared["meta"]["tag"]}
    assert tags == {f"{NAME}|shared-{number}" for number in range(PUSHES)}


async def test_a_matricule_that_stands_apart_survives_updates_that_do_not_know_of_it(
    client: httpx.AsyncClient, served: GatewayProcess
) -> None:
    """It is never shown, so that whoever sends the Patient back sends it without."""
    known = {
        "use": "official",
        "system": "urn:oid:1.2.250.1.213.1.4.10",
        "value": "279035121518989",
    }

    def body(number: int) -> str:
        made: dict[str, Any] = {"resourceType": "Patient", "id": "apart"}
        made["telecom"] = [{"rank": number + 1}]
        if number == MANY // 2:
            made["identifier"] = [known]
        return json.dumps(made)

    answers = await at_once(
        lambda number: client.put("/fhir/Patient/apart", content=body(number), headers=FHIR)
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: MANY - 1}
    statement = "SELECT aside IS NULL FROM version JOIN resource USING (pid) WHERE id = 'apart'"
    order = " ORDER BY version.version"
    rows = await asyncio.to_thread(record.rows, served.database_url, statement + order)
    without = [bool(row[0]) for row in rows]
    assert len(without) == MANY
    assert without == sorted(without, reverse=True), "a matricule was lost"
    assert not without[-1]
