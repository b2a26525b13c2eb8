"""A gateway on a real record, on each database."""

from itertools import count

import pytest

from passerelle.demo.samples import qualified
from passerelle.dossiers.gateway import Gateway, InsPolicy
from passerelle.mappers.native.dossier import Dossier, normal
from passerelle.store.contract import Store


@pytest.fixture
async def gateway(store: Store, clock) -> Gateway:
    """A gateway that admits the INS of test, with ids that count."""
    numbers = count(1)
    return Gateway(
        store=store,
        clock=clock,
        new_id=lambda: f"id-{next(numbers)}",
        base_url="http://127.0.0.1:8080/fhir",
        ins=InsPolicy(allow_test=True),
    )


@pytest.fixture
def sample() -> Dossier:
    """A dossier with an entry in every section that is taken."""
    return normal(qualified(b"%PDF-1.4 lettre"))
