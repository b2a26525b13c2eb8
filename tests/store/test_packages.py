"""The tables of packages, on both databases."""

from dataclasses import replace

import pytest

from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import PackageExpectation, Put, Stale, Unit
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
    await store.packages.set_ready(ONE._replace(at=8))
    assert await store.packages.all() == (ONE,)
    await store.packages.set_ready(ONE)
    assert await store.packages.all() == (ONE._replace(state="ready"),)


async def test_versions_stand_side_by_side_and_one_is_forgotten_alone(store):
    other = ONE._replace(version="2.0.0")
    for package in (ONE, other):
        await store.packages.begin(package)
        await store.packages.note(package, ROWS)
        await store.packages.note(package, ROWS)
    await store.packages.forget(ONE)
    assert len(await store.packages.all()) == 2, "its removal has not begun"
    await store.packages.set_removing(ONE)
    await store.packages.note(ONE, [ROWS[0]._replace(key=Key("ValueSet", "late"))])
    assert len(await store.packages.keys("a.b", "1.0.0")) == 2
    await store.packages.forget(ONE)
    assert await store.packages.all() == (other,)
    assert await store.packages.keys("a.b", "1.0.0") == ()
    assert await store.packages.keys("a.b", "2.0.0") == (ROWS[1].key, ROWS[0].key)


async def test_a_unit_of_a_package_is_written_in_a_state_that_it_expects(store):
    await store.packages.begin(ONE)
    of_it = PackageExpectation("a.b", "1.0.0", 7, ("loading", "ready"))
    writes = (Put(make_draft("v", type="ValueSet")),)
    await store.commit(Unit(writes=writes, package=of_it), SYSTEM)
    for other in (replace(of_it, at=8), replace(of_it, name="c"), replace(of_it, states=())):
        with pytest.raises(Stale):
            await store.commit(Unit(writes=writes, package=other), SYSTEM)
    await store.packages.set_removing(ONE)
    with pytest.raises(Stale):
        await store.commit(Unit(writes=writes, package=of_it), SYSTEM)


async def test_the_stamp_moves_with_terminology_and_with_nothing_else(store):
    stamps = [await store.packages.terminology_stamp()]
    for type_ in ("Basic", "ValueSet", "CodeSystem"):
        await store.commit(Unit(writes=(Put(make_draft("x", type=type_)),)), SYSTEM)
        stamps.append(await store.packages.terminology_stamp())
    none, after_basic, after_value_set, after_code_system = stamps
    assert none == after_basic == 0
    assert 0 < after_value_set < after_code_system
