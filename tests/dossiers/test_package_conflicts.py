"""Two packages that bring other contents under one canonical and version."""

import pytest

from passerelle.dossiers import packages
from passerelle.dossiers.package_conflicts import conflicts
from passerelle.dossiers.terminology import Named, Terms
from passerelle.fhir.packages.package_reading import PackageKey
from passerelle.fhir.terminology.canonicals import Canonical
from passerelle.store.caller import SYSTEM
from tests.made_packages import ALL, COLOURS, archive, colours, value_set

pytestmark = pytest.mark.anyio

FIRST, SECOND = PackageKey("exemple.couleurs", "1.0.0"), PackageKey("exemple.reprise", "2.0.0")


def republishing(codes: tuple[str, ...] = ("rouge",), **more: str) -> bytes:
    """A guide that defines a value set of another guide again, with another text and date."""
    include = {"system": COLOURS, "concept": [{"code": code} for code in codes]}
    set_ = value_set(ALL, {"include": [include]}, **more)
    return archive(
        {"package/ValueSet-couleurs.json": set_}, name=SECOND.name, version=SECOND.version
    )


async def members(gateway) -> list[str]:
    named = Named(canonical=Canonical(ALL, "1.0.0"))
    _, expansion = await Terms(gateway, SYSTEM).value_set(named)
    return sorted(expansion.by_code)


async def test_the_first_content_is_valid_until_it_goes(gateway):
    await packages.add(gateway, colours())
    whole = await members(gateway)
    assert len(whole) > 3
    added = await packages.add(gateway, republishing(date="2030-01-01"))
    (said,) = [each for each in added.issues if each.rule == "package.canonical-taken"]
    assert f"ValueSet {ALL}|1.0.0" in said.text
    assert str(FIRST) in said.text
    assert await members(gateway) == whole, "though the other one is dated later"
    (found,) = await conflicts(gateway)
    assert (found.valid, found.others) == (FIRST, (SECOND,))
    await packages.remove(gateway, FIRST)
    assert await conflicts(gateway) == ()
    query = Named(canonical=Canonical(ALL, "1.0.0"))
    resource, _ = await Terms(gateway, SYSTEM).value_set(query)
    assert resource["compose"]["include"][0]["concept"] == [{"code": "rouge"}]


async def test_the_second_content_is_valid_where_it_is_alone_or_came_first(gateway):
    await packages.add(gateway, republishing())
    await packages.add(gateway, colours())
    (found,) = await conflicts(gateway, FIRST)
    assert (found.valid, found.others) == (SECOND, (FIRST,))
    assert await members(gateway) == ["rouge"]
    assert await conflicts(gateway, PackageKey("exemple.autre", "1.0.0")) == ()


async def test_the_same_content_again_is_no_conflict(gateway):
    same = {
        "package/ValueSet-autre-nom.json": value_set(ALL, {"include": [{"system": COLOURS}]})
        | {"id": "autre", "text": {"status": "empty", "div": "<div/>"}, "meta": {"versionId": "7"}}
    }
    await packages.add(gateway, colours())
    added = await packages.add(gateway, archive(same, name=SECOND.name, version=SECOND.version))
    assert [each.rule for each in added.issues] == []
    assert await conflicts(gateway) == ()
