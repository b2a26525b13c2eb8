"""Packages that are added by several processes at once, and by one that is killed on the way."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter

import pytest

from passerelle.dossiers import packages
from passerelle.errors.refusals import Conflict, NotFound
from passerelle.fhir.packages.package_reading import PackageKey, read_package
from passerelle.store.caller import SYSTEM
from tests.made_packages import archive

pytestmark = pytest.mark.anyio
COUNT = 600
"""Resources: more than one transaction takes."""


@pytest.fixture
def package(tmp_path):
    files = {
        f"package/CodeSystem-{number}.json": {
            "resourceType": "CodeSystem",
            "id": f"c{number}",
            "url": f"https://exemple.fr/CodeSystem/c{number}",
            "version": "1.0.0",
            "status": "active",
            "content": "complete",
            "concept": [{"code": "a"}],
        }
        for number in range(COUNT)
    }
    path = tmp_path / "grand.tgz"
    path.write_bytes(archive(files, name="exemple.grand"))
    return path


@pytest.fixture
def passerelle(database_url):
    """Start a command on the record; it runs in a process of its own."""

    clean = {name: value for name, value in os.environ.items() if name[:10] != "PASSERELLE"}

    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "passerelle", "packages", *map(str, arguments), "--json"],
            env=clean | {"PASSERELLE_DATABASE_URL": database_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


def told(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def versions(store, package):
    keys = [each.key for each in read_package(package.read_bytes()).resources]
    found = await store.read_many(keys, SYSTEM)
    return [found[key].version for key in keys if key in found and found[key].body is not None]


async def states(gateway):
    return [each.state for each in await packages.installed_all(gateway)]


async def test_two_processes_add_one_package_at_once(passerelle, package, gateway):
    both = [passerelle("add", package) for _ in range(2)]
    assert [told(each)["packages"][0]["resources"] for each in both] == [COUNT, COUNT]
    assert await states(gateway) == ["ready"]
    assert await versions(gateway.store, package) == [1] * COUNT


async def test_one_that_is_killed_is_gone_on_with(passerelle, package, gateway):
    killed = passerelle("add", package)
    begun: list[str] = []
    while not begun and killed.poll() is None:
        begun = await states(gateway)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert await states(gateway) in (["loading"], ["ready"])
    there = await versions(gateway.store, package)
    assert set(there) <= {1}
    assert len(there) in (0, packages.BATCH, COUNT)
    await packages.add(gateway, package.read_bytes())
    assert await states(gateway) == ["ready"]
    assert await versions(gateway.store, package) == [1] * COUNT
    removed = await packages.remove(gateway, PackageKey("exemple.grand", "1.0.0"))
    assert removed.resources == COUNT
    assert await versions(gateway.store, package) == []


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_added_and_removed_at_once_is_there_whole_or_not_at_all(
    gateway, package, seed
):
    """Four who add and remove one package at once, in steps that chance puts in order."""
    rng = random.Random(seed)
    key, body = PackageKey("exemple.grand", "1.0.0"), package.read_bytes()
    fates = Counter()

    async def turn(work):
        for _ in range(rng.randrange(40)):
            await asyncio.sleep(0)
        try:
            await work
            fates["done"] += 1
        except (Conflict, NotFound):
            fates["refused"] += 1

    for _ in range(3):
        works = [packages.add(gateway, body) if n % 2 else None for n in range(4)]
        await asyncio.gather(
            *(turn(work or packages.remove(gateway, key)) for work in works),
        )
        there, found = await states(gateway), await versions(gateway.store, package)
        assert (there, len(found)) in ((["ready"], COUNT), ([], 0)), fates
        keys = await gateway.store.packages.keys(*key)
        assert len(keys) == len(found)
    assert fates["done"] > 0


async def test_a_removal_that_was_stopped_is_ended_by_adding(gateway, package):
    key, body = PackageKey("exemple.grand", "1.0.0"), package.read_bytes()
    await packages.add(gateway, body)
    (there,) = await packages.installed_all(gateway)
    await gateway.store.packages.set_removing(there)
    assert (await packages.add(gateway, body)).is_new
    assert await states(gateway) == ["ready"]
    assert await versions(gateway.store, package) == [3] * COUNT
    assert (await packages.remove(gateway, key)).resources == COUNT
