"""Whatever its description allows to be asked of a served gateway, it answers as described."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from schemathesis import GenerationMode

from tests.flows.conformity import Conformity
from tests.flows.gateway_process import GatewayProcess

MAIN_TYPES = "Patient,Observation,DocumentReference,Appointment,CareTeam,Binary,ValueSet"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway on a record of its own; at its end no fault stands in its log."""
    folder = tmp_path_factory.mktemp("gateway")
    with GatewayProcess(f"sqlite:///{folder / 'record.db'}", folder) as process:
        yield process.start().wait_ready().url
    assert '"fault"' not in process.told()


def test_a_part_of_what_is_described_is_answered_as_described(url: str) -> None:
    with closing(Conformity(url)) as asked:
        asked.try_all(2, every=8)
    assert asked.operations > 9


def test_a_type_is_answered_as_described(url: str) -> None:
    with closing(Conformity(url, "?type=Patient")) as asked:
        asked.try_all(2, every=5, modes=[GenerationMode.POSITIVE])
    assert asked.operations > 5


@pytest.mark.nightly
@pytest.mark.parametrize("query", ["", *(f"?type={each}" for each in MAIN_TYPES.split(","))])
def test_all_that_is_described_is_answered_as_described(url: str, query: str) -> None:
    with closing(Conformity(url, query)) as asked:
        asked.try_all(8)
    total = sum(asked.statuses.values())
    told = ", ".join(f"{status}: {n}" for status, n in sorted(asked.statuses.items()))
    print(f"{query or 'all types'}: {asked.operations} operations, {total} requests ({told})")
