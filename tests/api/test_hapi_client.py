"""HAPI's own Java client at a day of work, in JSON and in XML, where Maven can fetch it.

https://hapifhir.io/hapi-fhir/docs/client/introduction.html . Nothing of it is changed.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "hapi_client"
STEPS = 18


@pytest.fixture
def jars(tmp_path):
    """The client and what it needs, from Maven Central or from what Maven keeps here."""
    mvn = shutil.which("mvn")
    if mvn is None or shutil.which("javac") is None:
        pytest.skip("left out: there is no Maven or no Java compiler here")
    shutil.copy(HERE / "pom.xml", tmp_path)
    command = [mvn, "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
    if subprocess.run(command, cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("left out: Maven cannot fetch HAPI's client")
    return f"{tmp_path / 'jars'}/*"


@pytest.fixture
def base_url(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if "PASSERELLE" not in name}
    settings = {
        "PASSERELLE_DATABASE_URL": f"sqlite:///{tmp_path / 'record.db'}",
        "PASSERELLE_BIND": f"127.0.0.1:{port}",
        "PASSERELLE_INS_ALLOW_TEST": "true",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "passerelle", "serve", "--no-worker"],
        env=kept | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    for line in process.stderr:
        if json.loads(line)["event"].startswith("Uvicorn running"):
            break
    yield f"http://127.0.0.1:{port}/fhir"
    process.send_signal(signal.SIGTERM)
    process.communicate()


@pytest.mark.nightly
def test_hapis_client_does_a_day_of_work_in_json_and_in_xml(jars, base_url, tmp_path):
    source = str(HERE / "DayOfWork.java")
    subprocess.run(["javac", "-d", str(tmp_path), "-cp", jars, source], check=True)
    command = ["java", "-cp", f"{tmp_path}{os.pathsep}{jars}", "DayOfWork", base_url]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for form in ("json", "xml"):
        assert sum(line.startswith(f"{form}: ") for line in done.stdout.splitlines()) == STEPS
