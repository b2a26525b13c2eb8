"""``passerelle dossier push`` of many: parts, receipts kept beside, going on behind them."""

import json

import pytest

from passerelle.cli import dossier_batch
from tests.dossiers.many_dossiers import small, tag_of


@pytest.fixture
def rigged(server, monkeypatch):
    """Answers each part of a batch: dossiers that are suspended are refused."""
    parts = []

    def handle(handler):
        length = int(handler.headers["content-length"])
        lines = handler.rfile.read(length).splitlines()
        parts.append((handler.path, dict(handler.headers), lines))
        told = []
        for number, line in enumerate(lines, 1):
            dossier = json.loads(line)
            one = {"line": number, "dossier": tag_of(dossier)}
            if dossier["status"] == "suspended":
                one |= {"status": 422, "issues": [{"rule": "dossier.schema", "path": "/x"}]}
            elif dossier["status"] == "closed":
                one |= {"status": 503, "issues": [{"rule": "record.unavailable", "path": ""}]}
            else:
                one |= {"status": 201, "version": "v", "actions": {"created": 3}}
            told.append(json.dumps(one).encode() + b"\n")
        body = b"".join(told)
        handler.send_response(200)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    from tests.cli import conftest

    monkeypatch.setattr(conftest._Handler, "do_POST", handle)
    monkeypatch.setattr(dossier_batch, "LINES_AT_ONCE", 2)
    return parts


def written(folder, dossiers):
    file = folder / "many.ndjson"
    file.write_text("".join(json.dumps(each) + "\n" for each in dossiers))
    return file


def receipts(file):
    kept = dossier_batch.receipts_of(file)
    return [json.loads(line)["line"] for line in kept.read_text().splitlines()]


def test_a_file_is_pushed_in_parts_and_its_receipts_are_kept(passerelle, rigged, tmp_path):
    file = written(tmp_path, [small(number) for number in range(5)])
    code, out, err = passerelle("dossier", "push", file, "--strict")
    assert code == 0, (out, err)
    assert "5 dossiers : 5 créés" in out
    assert [len(lines) for _, _, lines in rigged] == [2, 2, 1]
    assert {path for path, _, _ in rigged} == {"/dossiers:batch"}
    assert "handling=strict" in rigged[0][1]["prefer"]
    assert receipts(file) == [1, 2, 3, 4, 5]


def test_a_push_goes_on_behind_the_last_receipt(passerelle, rigged, tmp_path):
    file = written(tmp_path, [small(number) for number in range(5)])
    kept = dossier_batch.receipts_of(file)
    kept.write_text('{"line":3,"status":201}\n{"line":4,"sta')
    code, out, _ = passerelle("dossier", "push", file, "--resume")
    assert (code, receipts(file)) == (0, [3, 4, 5])
    assert "2 dossiers" in out


def test_refusals_are_told_and_a_gateway_that_fails_ends_the_push(passerelle, rigged, tmp_path):
    given = [small(1), small(2, status="suspended"), small(3, status="closed"), small(4)]
    file = written(tmp_path, given)
    code, out, _ = passerelle("dossier", "push", file)
    assert code == 2
    assert "ligne 2 : dossier.schema" in out
    assert "--resume" in out
    assert receipts(file) == [1, 2]
    code, out, _ = passerelle("dossier", "push", file, "--json")
    told = json.loads(out)
    assert (told["lines"], told["created"], told["stoppedAt"]) == (2, 1, 3)
    assert [each["line"] for each in told["refused"]] == [2]


def test_a_folder_is_pushed_file_by_file_in_the_order_of_their_names(passerelle, rigged, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in (2, 1, 3):
        (folder / f"{number}.json").write_text(json.dumps(small(number), indent=2))
    code, out, _ = passerelle("dossier", "push", folder, "--dry-run")
    assert code == 0
    assert "rien n'a été écrit" in out
    assert rigged[0][0].endswith("?dryRun=true")
    pushed = [json.loads(line)["id"]["value"] for _, _, lines in rigged for line in lines]
    assert pushed == ["N-00001", "N-00002", "N-00003"]
    assert not dossier_batch.receipts_of(folder).exists()


def test_a_gateway_that_is_not_there_is_told(passerelle, tmp_path):
    file = written(tmp_path, [small(1)])
    code, _, err = passerelle("dossier", "push", file, "--server", "http://127.0.0.1:1")
    assert code == 2
    assert "cli.unreachable" in err
