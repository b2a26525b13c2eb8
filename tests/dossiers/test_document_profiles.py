"""What declares PDSm without meeting it: refused, or kept and told, as the setting says."""

from dataclasses import replace

import pytest

from passerelle.dossiers.repository import Repository
from passerelle.dossiers.transactions import Transaction
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.errors.refusals import Unprocessable
from passerelle.fhir.patch.patch import of_parameters
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from tests import pdsm

pytestmark = pytest.mark.anyio
SNOMED = pdsm.concept("http://snomed.info/sct", "22232009")


def faulty(number: int = 1, **more):
    document = pdsm.document(number, url=pdsm.uuid(3), **more)
    del document["custodian"]
    document["context"]["facilityType"] = SNOMED
    return document


def provided(document):
    submitted = pdsm.submission_set(pdsm.uuid(2))
    submitted["extension"][0]["valueCodeableConcept"] = SNOMED
    return pdsm.bundle(
        pdsm.entry(submitted, 1), pdsm.entry(document, 2), pdsm.entry(pdsm.binary(), 3)
    )


@pytest.fixture
def warning(gateway):
    """A gateway that tells of profiles that are not met."""
    return replace(gateway, writing=WritingPolicy(profiles="warn"))


async def test_a_bundle_that_does_not_meet_what_it_declares_is_refused_whole(gateway):
    with pytest.raises(Unprocessable) as refused:
        await Transaction(Repository(gateway, SYSTEM)).run(provided(faulty()))
    assert [issue.rule for issue in refused.value.issues] == [
        "document.terminology",
        "document.element-missing",
        "document.terminology",
    ]


async def test_where_it_is_only_told_the_bundle_is_kept_with_its_warnings(warning):
    repository = Repository(warning, SYSTEM)
    first = await Transaction(repository).run(provided(faulty()))
    assert [answer.status for answer in first] == [201] * 3
    said = [(one.severity, one.rule) for one in first[1].outcome if one.rule[:9] == "document."]
    assert said == [
        ("warning", "document.element-missing"),
        ("warning", "document.terminology"),
    ]
    assert first[1].key is not None
    relation = {"code": "replaces", "target": {"reference": str(first[1].key)}}
    await Transaction(repository).run(provided(faulty(2, relatesTo=[relation])))
    held = (await repository.read(Key("DocumentReference", first[1].key.id))).body
    assert b'"status":"superseded"' in (held or b"")


async def test_the_bytes_must_be_what_is_said_of_them_all_the_same(warning):
    wrong = faulty()
    wrong["content"][0]["attachment"]["size"] = 3
    with pytest.raises(Unprocessable) as refused:
        await Transaction(Repository(warning, SYSTEM)).run(provided(wrong))
    assert [issue.rule for issue in refused.value.issues] == ["document.size-mismatch"]


async def test_a_simplified_publication_is_told_of_too(warning):
    document = pdsm.simplified()
    del document["custodian"]
    made = await Repository(warning, SYSTEM).create(document)
    assert made.action == "created"
    assert "document.element-missing" in {one.rule for one in made.warnings}
    assert made.version is not None
    assert b"IHE.MHD.Minimal.DocumentReference" in (made.version.body or b"")


async def test_what_was_kept_without_meeting_its_profile_may_still_be_patched(gateway, warning):
    made = await Transaction(Repository(warning, SYSTEM)).run(provided(faulty()))
    key = made[1].key
    assert key is not None
    patch = of_parameters(pdsm.superseding())
    done = await Repository(gateway, SYSTEM).patch(key, patch)
    assert (done.action, done.version and done.version.version) == ("updated", 2)
    other = await Transaction(Repository(warning, SYSTEM)).run(provided(faulty(2)))
    entry = pdsm.entry(pdsm.superseding(), 1, "PATCH", str(other[1].key))
    answers = await Transaction(Repository(gateway, SYSTEM)).run(pdsm.bundle(entry))
    assert [answer.status for answer in answers] == [200]
