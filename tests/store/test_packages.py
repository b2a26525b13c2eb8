"""The tables of packages, on both databases."""

import pytest

from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Unit
from passerelle.store.packages import ConformanceRow, InstalledPackage
from tests.store.drafts import make_draft

pytestmark = pytest.mark.anyio

ONE = InstalledPackage("a.b", "1.0.0", "d" * 64, "loading", 7, 2, 1, "http://a", "A", b"{}")
ROWS = [
    ConformanceRow(Key("ValueSet", "v"), "package/v.json", "http://a/v", "1"),
    ConformanceRow(Key("CodeSystem", "c"), "package/c.json", None, None),
]


async def test_a_package_is_kept_once_and_told_with_its_state(store):
    await store.packages.begin(ONE)
    await store.packages.begin(ONE._replace(digest="e" * 64))
    assert await store.packages.all() == (ONE,)
    await store.packages.set_state("a.b", "1.0.0", "ready")
    assert await store.packages.all() == (ONE._replace(state="ready"),)


async def test_versions_stand_side_by_side_and_one_is_forgotten_alone(store):
    other = ONE._replace(version="2.0.0")
    for package in (ONE, other):
        await store.packages.begin(package)
        await store.packages.note(package.name, package.version, ROWS)
        await store.packages.note(package.name, package.version, ROWS)
    await store.packages.forget("a.b", "1.0.0")
    assert await store.packages.all() == (other,)
    assert await store.packages.keys("a.b", "1.0.0") == ()
    assert await store.packages.keys("a.b", "2.0.0") == (ROWS[1].key, ROWS[0].key)


async def test_the_stamp_moves_with_terminology_and_with_nothing_else(store):
    stamps = [await store.packages.terminology_stamp()]
    for type_ in ("Basic", "ValueSet", "CodeSystem"):
        await store.commit(Unit(writes=(Put(make_draft("x", type=type_)),)), SYSTEM)
        stamps.append(await store.packages.terminology_stamp())
    none, after_basic, after_value_set, after_code_system = stamps
    assert none == after_basic == 0
    assert 0 < after_value_set < after_code_system
