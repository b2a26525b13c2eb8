"""Histories over HTTP, of a resource, of a type and of the system."""

from datetime import UTC, datetime, timedelta

import pytest

from passerelle.store.caller import Caller
from tests.api.conftest import BASE

pytestmark = pytest.mark.anyio


def patient(id_: str = "p1", **more):
    return {"resourceType": "Patient", "id": id_, **more}


async def some_versions(served) -> None:
    """Make six versions of three resources: p1 three times and then deleted, p2, t1."""
    for number in range(3):
        await served.kept(patient(multipleBirthInteger=number))
    await served.kept(patient("p2"))
    await served.kept({"resourceType": "Basic", "id": "t1", "code": {"text": "x"}})
    await served.ask("DELETE", "/fhir/Patient/p1")


def told(bundle) -> list[str]:
    """Give resource and version of each entry."""
    return [
        entry["fullUrl"].removeprefix(BASE + "/") + " " + entry["response"]["etag"][3:-1]
        for entry in bundle.get("entry", ())
    ]


async def followed(served, address: str) -> list[str]:
    """Follow a history to its end."""
    found: list[str] = []
    url: str | None = address
    while url is not None:
        answer = await served.ask("GET", url)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += told(page)
        url = {link["relation"]: link["url"] for link in page["link"]}.get("next")
    return found


ALL = ["Patient/p1 4", "Basic/t1 1", "Patient/p2 1", "Patient/p1 3", "Patient/p1 2", "Patient/p1 1"]


@pytest.mark.parametrize("size", [1, 2, 4, 50])
@pytest.mark.parametrize(
    ("where", "prefix"), [("", ""), ("Patient/", "Patient/"), ("Patient/p1/", "Patient/p1 ")]
)
async def test_every_version_is_given_once_in_either_order(served, where, prefix, size):
    await some_versions(served)
    expected = [version for version in ALL if version.startswith(prefix)]
    address = f"/fhir/{where}_history?_count={size}"
    assert await followed(served, address) == expected
    assert await followed(served, address + "&_sort=-_lastUpdated") == expected
    assert await followed(served, address + "&_sort=_lastUpdated") == expected[::-1]


async def test_a_history_tells_methods_and_a_total_where_it_is_known(served):
    await some_versions(served)
    whole = (await served.ask("GET", "/fhir/Patient/p1/_history")).json()
    assert (whole["type"], whole["total"]) == ("history", 4)
    methods = [entry["request"]["method"] for entry in whole["entry"]]
    assert methods == ["DELETE", "PUT", "PUT", "PUT"]
    assert whole["entry"][1]["resource"]["multipleBirthInteger"] == 2
    assert "resource" not in whole["entry"][0]
    pages = (await served.ask("GET", "/fhir/Patient/p1/_history?_count=3")).json()
    assert (pages["total"], len(pages["entry"])) == (4, 3)
    assert (await served.ask("GET", "/fhir/_history")).json()["total"] == 6
    assert "total" not in (await served.ask("GET", "/fhir/_history?_count=2")).json()


@pytest.mark.parametrize("asking", ["_count=0", "_summary=count", "_count=3&_summary=count"])
@pytest.mark.parametrize(("where", "total"), [("", 6), ("Patient/", 5), ("Patient/p1/", 4)])
async def test_a_count_of_zero_gives_the_total_alone(served, where, total, asking):
    await some_versions(served)
    answer = (await served.ask("GET", f"/fhir/{where}_history?{asking}")).json()
    assert answer["total"] == total
    assert "entry" not in answer
    assert [link["relation"] for link in answer["link"]] == ["self"]


async def test_since_and_at_choose_versions_by_their_instants(served):
    await some_versions(served)
    middle = (await served.ask("GET", "/fhir/Patient/p1/_history/2")).json()
    moment = middle["meta"]["lastUpdated"]
    since = f"_since={moment}"
    assert await followed(served, f"/fhir/Patient/p1/_history?{since}") == [
        "Patient/p1 4",
        "Patient/p1 3",
        "Patient/p1 2",
    ]
    assert await followed(served, f"/fhir/_history?{since}&_count=2") == ALL[:5]
    at = f"_at={moment}"
    assert await followed(served, f"/fhir/Patient/p1/_history?{at}") == ["Patient/p1 2"]
    assert await followed(served, f"/fhir/_history?{at}") == ["Patient/p1 2"]
    today = datetime.now(UTC)
    later = (today + timedelta(days=400)).strftime("%Y-%m-%d")
    assert await followed(served, f"/fhir/_history?_at={later}") == ALL[:3]
    assert await followed(served, f"/fhir/_history?_since={later}") == []
    assert await followed(served, f"/fhir/Patient/_history?_at={today.year - 2}") == []


async def test_the_links_say_what_was_understood(served):
    await some_versions(served)
    asked = "_since=2020-01-01T00:00:00%2B01:00&_sort=_lastUpdated&_count=2&_pretty=true&nothing=1"
    page = (await served.ask("GET", f"/fhir/Patient/_history?{asked}")).json()
    links = {link["relation"]: link["url"] for link in page["link"]}
    assert links["self"] == (
        f"{BASE}/Patient/_history?_since=2020-01-01T00%3A00%3A00%2B01%3A00"
        "&_sort=_lastUpdated&_count=2"
    )
    assert links["next"].startswith(links["self"] + "&_cursor=")
    for changed in ("_sort=-_lastUpdated", "_since=2021"):
        name = changed.partition("=")[0]
        kept = [pair for pair in links["next"].partition("?")[2].split("&") if name not in pair]
        answer = await served.ask("GET", "/fhir/Patient/_history?" + "&".join([*kept, changed]))
        assert answer.status_code == 400
    moved = links["next"].replace("/Patient/_history", "/_history")
    assert (await served.ask("GET", moved)).status_code == 400


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("_list=42", 501, ["http.not-there-yet"]),
        ("_count=-1&_since=hier&_at=x&_sort=name", 400, ["http.parameter-malformed"] * 4),
        ("_cursor=x", 400, ["search.cursor-invalid"]),
        ("_cursor=", 400, ["search.cursor-invalid"]),
        ("_count=1&_count=2", 400, ["search.repeated"]),
        ("_summary=some", 400, ["search.value-invalid"]),
    ],
)
async def test_what_is_not_answered_is_refused(served, rules, asked, status, expected):
    await served.kept(patient())
    for address in ("/fhir/Patient/p1/_history?", "/fhir/Patient/_history?", "/fhir/_history?"):
        answer = await served.ask("GET", address + asked)
        assert (answer.status_code, rules(answer)) == (status, expected)


async def test_an_unknown_parameter_is_refused_only_to_the_strict(served, rules):
    await served.kept(patient())
    assert (await served.ask("GET", "/fhir/_history?nothing=1")).status_code == 200
    answer = await served.ask(
        "GET", "/fhir/_history?nothing=1", headers={"Prefer": "handling=strict"}
    )
    assert (answer.status_code, rules(answer)) == (400, ["http.parameter-unknown"])


async def test_there_is_no_history_of_what_never_was(served, rules):
    await served.kept(patient())
    missing = await served.ask("GET", "/fhir/Patient/nobody/_history")
    assert (missing.status_code, rules(missing)) == (404, ["record.not-found"])
    later = await served.ask("GET", "/fhir/Patient/p1/_history?_since=2999")
    assert later.json()["total"] == 0
    empty = (await served.ask("GET", "/fhir/Basic/_history")).json()
    assert (empty["total"], "entry" in empty) == (0, False)


async def test_a_part_of_each_version_is_given_where_it_is_asked_for(served):
    await served.kept(patient(birthDate="1980-01-01", maritalStatus={"text": "x"}))
    page = (await served.ask("GET", "/fhir/Patient/_history?_elements=birthDate&_count=1")).json()
    (entry,) = page["entry"]
    assert entry["resource"]["birthDate"] == "1980-01-01"
    assert "maritalStatus" not in entry["resource"]
    assert entry["resource"]["meta"]["tag"][-1]["code"] == "SUBSETTED"
    assert "_elements=birthDate" in page["link"][0]["url"]


async def test_the_head_of_a_history_is_that_of_its_answer(served):
    await some_versions(served)
    got = await served.ask("GET", "/fhir/_history")
    head = await served.ask("HEAD", "/fhir/_history")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_nobody_sees_no_history(served):
    from passerelle.fhir.history_query import HistoryQuery

    await some_versions(served)
    nobody = Caller("nobody", "nobody")
    for query in (HistoryQuery(), HistoryQuery("Patient"), HistoryQuery("Patient", "p1")):
        page = await served.gateway.store.past(query, nobody)
        assert (page.versions, page.total) == ((), 0)


async def test_what_was_deleted_is_gone_with_its_tag(served, rules):
    await some_versions(served)
    for address in ("/fhir/Patient/p1", "/fhir/Patient/p1/_history/4"):
        answer = await served.ask("GET", address)
        assert (answer.status_code, rules(answer)) == (410, ["record.deleted"])
        assert answer.headers["etag"] == 'W/"4"'
