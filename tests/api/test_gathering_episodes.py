"""`$everything` of an encounter and of an episode of care."""

import pytest

from tests.api.test_gathering_operations import ALONG, MINE, RECORD, keys

pytestmark = pytest.mark.anyio

VISITS = [
    *RECORD,
    {
        "resourceType": "EpisodeOfCare",
        "id": "episode",
        "status": "active",
        "patient": MINE,
        "managingOrganization": {"reference": "Organization/part"},
    },
    {
        "resourceType": "Encounter",
        "id": "visit",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": MINE,
        "episodeOfCare": [{"reference": "EpisodeOfCare/episode"}],
    },
    {
        "resourceType": "Communication",
        "id": "said",
        "status": "completed",
        "subject": MINE,
        "encounter": {"reference": "Encounter/visit"},
    },
]


@pytest.fixture
async def record(served):
    for resource in VISITS:
        await served.kept(resource)
    return served


@pytest.mark.parametrize("count", [1, 50])
async def test_everything_about_an_encounter_and_an_episode(record, count):
    visit = await keys(record, f"/fhir/Encounter/visit/$everything?_count={count}")
    about = {"Encounter/visit", "Communication/said"}
    assert visit == about | {"Patient/one", "EpisodeOfCare/episode"} | (visit & ALONG)
    episode = await keys(record, f"/fhir/EpisodeOfCare/episode/$everything?_count={count}")
    assert episode == about | {
        "EpisodeOfCare/episode",
        "Patient/one",
        "Organization/part",
        "Organization/whole",
    }


async def test_they_are_part_of_what_is_about_the_patient(record):
    found = await keys(record, "/fhir/Patient/one/$everything?_count=2")
    assert {"Encounter/visit", "EpisodeOfCare/episode", "Communication/said"} <= found
