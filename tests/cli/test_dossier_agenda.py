"""passerelle dossier agenda."""

import pytest

NAME = "https://coord.example/dossiers|D-1"
TARGET = "/dossiers/https%3A%2F%2Fcoord.example%2Fdossiers%7CD-1"
CALENDAR = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
RECEIPT = {
    "dossier": NAME,
    "version": "v2",
    "dryRun": False,
    "entries": [{"section": "appointments", "key": "ics-1", "action": "created"}],
    "issues": [],
    "identity": {"status": "qualified"},
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rdv.ics"
    path.write_bytes(CALENDAR)
    return path


def test_a_calendar_is_sent_as_it_is_and_its_receipt_shown(passerelle, server, file):
    server.answer("POST", f"{TARGET}:agenda?dryRun=true", RECEIPT | {"dryRun": True})
    code, out, _ = passerelle("dossier", "agenda", NAME, str(file), "--dry-run", "--strict")
    assert (code, "rien n'a été écrit" in out) == (0, True)
    assert "ics-1" in out
    (seen,) = server.seen
    assert seen.body == CALENDAR


def test_a_refused_event_ends_the_command_with_1(passerelle, server, file):
    refused = {"section": "appointments", "key": "VEVENT[0]", "action": "refused"}
    server.answer("POST", f"{TARGET}:agenda", RECEIPT | {"entries": [refused]})
    code, out, _ = passerelle("dossier", "agenda", NAME, str(file))
    assert (code, "VEVENT[0]" in out) == (1, True)
    code, out, _ = passerelle("dossier", "agenda", NAME, str(file), "--json")
    assert code == 1


def test_without_a_file_the_calendar_of_the_dossier_is_given(passerelle, server, tmp_path):
    server.answer("GET", f"{TARGET}?as=ical", {"any": "body"})
    code, out, _ = passerelle("dossier", "agenda", NAME)
    assert (code, "any" in out) == (0, True)
    written = tmp_path / "out.ics"
    code, _, _ = passerelle("dossier", "agenda", NAME, "-o", str(written))
    assert code == 0
    assert written.read_bytes()
