"""The command as a whole: help, exit codes, languages, what is not imported."""

import re
import subprocess
import sys

import pytest

COMMANDS = [
    ("ins", "check"),
    ("fhir", "get"),
    ("fhir", "search"),
    ("fhir", "post"),
    ("fhir", "validate"),
    ("dossier", "push"),
    ("dossier", "pull"),
    ("dossier", "diff"),
    ("dossier", "validate"),
    ("mss", "send"),
    ("mss", "track"),
    ("mss", "inbox"),
    ("mss", "whitelist"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_json_and_an_example(passerelle, command):
    code, out, _ = passerelle(*command, "--help")
    assert code == 0
    assert "--json" in out
    assert f"Exemple : passerelle {' '.join(command)} " in re.sub(r"\s+", " ", out)


def test_the_list_of_groups_is_shown_without_arguments(passerelle):
    code, out, _ = passerelle("--help")
    assert code == 0
    for group in ("ins", "fhir", "dossier", "mss"):
        assert f"\n  {group} " in out


@pytest.mark.parametrize(
    "arguments",
    [("nothing",), ("ins", "check"), ("fhir", "get"), ("mss", "send", "DocumentReference/1")],
)
def test_wrong_usage_ends_with_2(passerelle, arguments):
    assert passerelle(*arguments)[0] == 2


def test_a_missing_file_is_wrong_usage(passerelle, tmp_path):
    assert passerelle("fhir", "validate", tmp_path / "none.json")[0] == 2


def test_help_imports_nothing_heavy():
    script = (
        "import sys; from passerelle.cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'httpx', 'rich.table', 'msgspec', 'sqlalchemy', 'fastapi', 'lxml'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_runs_as_a_module():
    arguments = [sys.executable, "-m", "passerelle", "ins", "check", "2790351215189", "89"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Matricule valide" in done.stdout
