"""The folder of packages that is read when the gateway starts."""

import pytest
from structlog.testing import capture_logs

from passerelle import app as wiring
from passerelle.dossiers import packages
from tests.made_packages import colours

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


async def test_packages_of_the_folder_are_installed_and_told_in_the_log(served, tmp_path):
    (tmp_path / "couleurs.tgz").write_bytes(colours(dependencies={"a.b": "1.0.0"}))
    (tmp_path / "faux.tgz").write_bytes(b"no archive")
    with capture_logs() as told:
        await wiring.read_packages(served.gateway, tmp_path)
    assert [(each["event"], each["rules"]) for each in told] == [
        ("package.added", ["package.dependency-missing"]),
        ("package.refused", ["package.not-a-tgz"]),
    ]
    assert len(await packages.installed_all(served.gateway)) == 1


async def test_reading_the_folder_stops_when_the_gateway_stops(served, tmp_path):
    (tmp_path / "couleurs.tgz").write_bytes(colours())
    stop = await wiring.start_packages(served.gateway, tmp_path)
    await stop()
    await packages.add(served.gateway, colours())
    (whole,) = await packages.installed_all(served.gateway)
    assert whole.state == "ready"
