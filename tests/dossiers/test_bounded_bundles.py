"""What a bundle takes grows as the bundle does, and ends where nothing more would be told."""

from contextlib import suppress

import pytest

from passerelle.dossiers.repository import Repository
from passerelle.dossiers.transactions import Transaction
from passerelle.errors.refusals import Invalid
from passerelle.fhir.bundles.transaction_plan import FAULTS_MAX
from passerelle.store.caller import SYSTEM
from tests.steps import Steps

pytestmark = pytest.mark.anyio


def urn(number):
    return f"urn:uuid:{number:08x}-0000-4000-8000-000000000000"


def lists(count, links):
    """Make a transaction of Lists of links to one another."""
    entries = [
        {
            "fullUrl": urn(n),
            "resource": {
                "resourceType": "List",
                "status": "current",
                "mode": "working",
                "entry": [{"item": {"reference": urn((n + k) % count)}} for k in range(links)],
            },
            "request": {"method": "POST", "url": "List"},
        }
        for n in range(count)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def faulty(count, resource):
    entry = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry] * count}


async def steps(gateway, bundle):
    """Count the calls of this thread while a transaction is done, or refused."""
    transaction = Transaction(Repository(gateway, SYSTEM))
    with Steps() as counted, suppress(Invalid):
        await transaction.run(bundle)
    return counted.count


@pytest.mark.parametrize(("count", "links"), [(80, 20), (20, 80), (160, 10)])
async def test_links_are_resolved_in_steps_linear_in_the_body(gateway, count, links):
    await steps(gateway, lists(2, 2))  # tables are made once
    small = await steps(gateway, lists(count, links))
    more_entries = await steps(gateway, lists(2 * count, links))
    more_links = await steps(gateway, lists(count, 2 * links))
    assert more_entries < 2.2 * small
    assert more_links < 2.2 * small
    assert small < 150 * count * (links + 10)


UNKNOWN = {"resourceType": "Patient", "name": [{"zz": 1}] * 100}
UNRESOLVED = {
    "resourceType": "List",
    "status": "current",
    "mode": "working",
    "entry": [{"item": {"reference": f"urn:uuid:{n}"}} for n in range(100)],
}


@pytest.mark.parametrize("resource", [UNKNOWN, UNRESOLVED], ids=["elements", "links"])
async def test_of_many_faulty_entries_no_more_are_looked_at_than_are_told(gateway, resource):
    """Beyond what is told an entry is gone through for its links, and nothing else."""
    await steps(gateway, faulty(10, resource))
    some = await steps(gateway, faulty(20, resource))
    many = await steps(gateway, faulty(500, resource))
    with pytest.raises(Invalid) as caught:
        await Transaction(Repository(gateway, SYSTEM)).run(faulty(20, resource))
    assert len(caught.value.issues) == FAULTS_MAX + 1
    assert caught.value.issues[-1].rule == "bundle.too-many-faults"
    assert many - some < 480 * 10 * 100  # ten calls for each name or link
