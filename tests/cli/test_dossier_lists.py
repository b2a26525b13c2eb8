"""``passerelle dossier list``, ``export``, and ``diff`` of what a gateway holds."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

NAME = "https://coordination.example/dossiers|D-1"
ROW = {
    "dossier": NAME,
    "status": "active",
    "person": {"birthName": "MARTIN", "birthFirstNames": ["ANNE"], "birthDate": "1950"},
    "pathways": [{"code": "PAERPA"}],
    "lead": "Anne DUPONT",
}


@pytest.fixture
def answers(server, monkeypatch):
    """Answers by path alone, in turn, and notes what was asked."""
    told: list = []
    from tests.cli import conftest

    def handle(handler):
        length = int(handler.headers.get("content-length", 0))
        server.seen.append((handler.path, handler.rfile.read(length)))
        body = told.pop(0)
        handler.send_response(200)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    monkeypatch.setattr(conftest._Handler, "do_GET", handle)
    monkeypatch.setattr(conftest._Handler, "do_POST", handle)
    return told


def query(seen):
    return {name: value for name, (value,) in parse_qs(urlsplit(seen[0]).query).items()}


def test_dossiers_are_listed_page_by_page(passerelle, server, answers):
    answers += [
        json.dumps({"dossiers": [ROW], "total": 3, "next": "c"}).encode(),
        json.dumps({"dossiers": [ROW, ROW]}).encode(),
    ]
    code, out, _ = passerelle("dossier", "list", "--name", "martin", "--sort", "name")
    assert code == 0
    assert "MARTIN" in out
    assert "PAERPA" in out
    assert "3 sur 3" in out
    first, second = map(query, server.seen)
    assert first == {"name": "martin", "_sort": "name", "limit": "50", "total": "true"}
    assert (second["page"], second["limit"]) == ("c", "49")


def test_a_list_may_be_cut_and_told_as_json(passerelle, answers):
    answers += [json.dumps({"dossiers": [ROW], "total": 3, "next": "c"}).encode()]
    code, out, _ = passerelle("dossier", "list", "--limit", "1", "--json")
    assert (code, json.loads(out)) == (0, {"dossiers": [ROW], "total": 3})


def test_a_list_is_taken_out_to_a_file(passerelle, server, answers, tmp_path):
    answers += [b"PK"]
    file = tmp_path / "liste.xlsx"
    arguments = ("--purpose", "COC", "--columns", "dossier", "--status", "active")
    code, out, err = passerelle("dossier", "export", file, *arguments)
    assert (code, file.read_bytes()) == (0, b"PK"), (out, err)
    assert query(server.seen[0]) == {
        "status": "active",
        "_sort": "name",
        "purpose": "COC",
        "format": "xlsx",
        "columns": "dossier",
    }


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ((NAME,), {"before": {"dossier": NAME}}),
        (
            (NAME, "--before", "0123456789abcdef"),
            {"before": {"dossier": NAME, "version": "0123456789abcdef"}},
        ),
        (
            (NAME, "--before", "2026-01-01", "--after", "2026-02-01"),
            {
                "before": {"dossier": NAME, "at": "2026-01-01"},
                "after": {"dossier": NAME, "at": "2026-02-01"},
            },
        ),
        ((NAME, NAME + "2"), {"before": {"dossier": NAME}, "after": {"dossier": NAME + "2"}}),
    ],
)
def test_states_and_dossiers_are_compared_by_the_gateway(
    passerelle, server, answers, arguments, sent
):
    change = {"section": "tasks", "key": "t1", "kind": "changed", "path": "/status"}
    answers += [json.dumps({"changes": [change | {"before": "a", "after": "b"}]}).encode()]
    code, out, _ = passerelle("dossier", "diff", *arguments, "--exit-code")
    assert code == 1
    assert "t1 /status" in out
    assert json.loads(server.seen[0][1]) == sent


def test_a_file_is_compared_with_a_dossier_by_its_name(passerelle, server, answers, write):
    file = write({"format": "dossier/1"})
    answers += [b'{"changes":[]}']
    code, out, _ = passerelle("dossier", "diff", NAME, file)
    assert (code, "Aucune différence" in out) == (0, True)
    assert json.loads(server.seen[0][1])["after"] == {"format": "dossier/1"}
