"""Packages in a record, on both databases."""

import asyncio

import pytest

from passerelle.dossiers import packages
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.package_folder import add_folder
from passerelle.dossiers.rights_columns import rights_columns
from passerelle.errors.refusals import Conflict, NotFound
from passerelle.fhir import json_text
from passerelle.fhir.packages.package_reading import PackageKey, read_package
from passerelle.fhir.urls import PACKAGE_TAG
from passerelle.store.caller import SYSTEM
from tests.made_packages import archive, code_system, colours

pytestmark = pytest.mark.anyio

COLOURS = PackageKey("exemple.couleurs", "1.0.0")


@pytest.fixture
def gateway(store, clock):
    return Gateway(store=store, clock=clock, new_id=lambda: "1", base_url="http://localhost/fhir")


def keys(body):
    return [each.key for each in read_package(body).resources]


async def heads(gateway, body):
    return await gateway.store.read_many(keys(body), SYSTEM)


async def test_what_a_package_brings_is_in_the_record(gateway):
    added = await packages.add(gateway, colours())
    assert (added.key, added.is_new, added.resources, added.examples) == (COLOURS, True, 4, 1)
    assert added.issues == ()
    found = await heads(gateway, colours())
    assert len(found) == 4
    system = next(version for key, version in found.items() if key.type == "CodeSystem")
    body = json_text.decode(system.body)
    assert body["concept"] == code_system()["concept"]
    assert body["meta"]["tag"] == [{"system": PACKAGE_TAG, "code": str(COLOURS)}]
    assert system.author == "packages"


async def test_rights_know_what_came_with_a_package(gateway):
    (first, *_) = read_package(colours()).resources
    assert rights_columns(first.resource).element == "package"
    patient = {"resourceType": "Patient", "meta": first.resource["meta"]}
    assert rights_columns(patient).element == "person"


async def test_adding_twice_changes_nothing(gateway):
    await packages.add(gateway, colours())
    before = await heads(gateway, colours())
    again = await packages.add(gateway, colours())
    assert not again.is_new
    assert await heads(gateway, colours()) == before


async def test_the_same_version_with_other_contents_is_refused(gateway):
    await packages.add(gateway, colours())
    with pytest.raises(Conflict) as caught:
        await packages.add(gateway, colours(title="autre"))
    assert caught.value.issues[0].rule == "package.other-content"


async def test_versions_stand_side_by_side_and_each_is_removed_alone(gateway):
    for version in ("1.0.0", "2.0.0"):
        await packages.add(gateway, colours(version))
    assert (await packages.remove(gateway, COLOURS)).resources == 4
    assert [each.version for each in await packages.installed_all(gateway)] == ["2.0.0"]
    assert all(head.body is None for head in (await heads(gateway, colours())).values())
    assert all((await heads(gateway, colours("2.0.0"))).values())
    with pytest.raises(NotFound):
        await packages.remove(gateway, COLOURS)
    back = await packages.add(gateway, colours())
    assert back.is_new
    assert all(head.body for head in (await heads(gateway, colours())).values())


async def test_a_package_that_was_begun_and_not_ended_is_gone_on_with(gateway):
    def fail(done, of):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await packages.add(gateway, colours(), progress=fail)
    (begun,) = await packages.installed_all(gateway)
    assert begun.state == "loading"
    assert not await packages.is_installed(gateway, begun.digest)
    assert (await packages.add(gateway, colours())).is_new
    (whole,) = await packages.installed_all(gateway)
    assert whole.state == "ready"
    assert {head.version for head in (await heads(gateway, colours())).values()} == {1}


async def test_dependencies_that_are_missing_are_told(gateway):
    needs = {"exemple.couleurs": "1.0.x", "exemple.formes": "3.0.0"}
    body = archive({}, name="exemple.tout", dependencies=needs)
    added = await packages.add(gateway, body)
    assert [each.rule for each in added.issues] == ["package.dependency-missing"] * 2
    await packages.add(gateway, colours())
    again = await packages.add(gateway, body)
    assert ["exemple.formes#3.0.0" in each.text for each in again.issues] == [True]
    assert packages.dependencies((await packages.installed_all(gateway))[1]) == needs


async def test_removing_what_others_need_is_told_unless_another_version_serves(gateway):
    body = archive({}, name="exemple.tout", dependencies={"exemple.couleurs": "1.0.x"})
    for each in (body, colours(), colours("1.0.1")):
        await packages.add(gateway, each)
    assert (await packages.remove(gateway, PackageKey("exemple.couleurs", "1.0.1"))).issues == ()
    told = (await packages.remove(gateway, COLOURS)).issues
    assert [each.rule for each in told] == ["package.needed"]
    assert "exemple.tout#1.0.0" in told[0].text


async def test_two_that_add_the_same_package_at_once_both_find_it_there(gateway):
    both = await asyncio.gather(*(packages.add(gateway, colours()) for _ in range(2)))
    assert {each.resources for each in both} == {4}
    (one,) = await packages.installed_all(gateway)
    assert one.state == "ready"
    assert {head.version for head in (await heads(gateway, colours())).values()} == {1}


async def test_a_resource_with_faults_is_kept_as_published(gateway):
    faulty = code_system() | {"status": "neuf", "count": 3}
    body = archive({"package/CodeSystem-couleurs.json": faulty})
    assert (await packages.add(gateway, body)).issues == ()
    (head,) = (await heads(gateway, body)).values()
    assert json_text.decode(head.body)["status"] == "neuf"


async def test_what_is_too_odd_to_be_kept_is_left_out_and_told(gateway):
    odd = code_system() | {"concept": {"code": 1}, "identifier": [[]], "meta": {"tag": "x"}}
    files = {"package/CodeSystem-x.json": odd, "package/CodeSystem-y.json": code_system()}
    added = await packages.add(gateway, archive(files))
    assert {each.rule for each in added.issues} <= {
        "package.resource-left-out",
        "package.canonical-taken",
    }
    assert [version.body is None for version in (await heads(gateway, archive(files))).values()]


async def test_progress_is_told_to_the_end(gateway):
    told = []
    await packages.add(gateway, colours(), progress=lambda *pair: told.append(pair))
    assert told[-1] == (4, 4)


async def test_a_folder_is_read_once_and_what_is_refused_is_told(gateway, tmp_path):
    (tmp_path / "a.tgz").write_bytes(colours())
    (tmp_path / "b.tgz").write_bytes(b"no archive")
    (tmp_path / "c.txt").write_bytes(b"no matter")
    first = [each async for each in add_folder(gateway, tmp_path)]
    assert [(each.file, each.added is not None) for each in first] == [
        ("a.tgz", True),
        ("b.tgz", False),
    ]
    assert [each.rule for each in first[1].issues] == ["package.not-a-tgz"]
    again = [each async for each in add_folder(gateway, tmp_path)]
    assert [each.file for each in again] == ["b.tgz"]
