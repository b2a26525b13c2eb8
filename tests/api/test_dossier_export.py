"""The list of dossiers taken out as CSV and as XLSX, with the columns that are chosen."""

import csv
import io
import json
import zipfile

import pytest
import structlog
from lxml import etree

from passerelle.dossiers.exchange import patient_list
from passerelle.mappers.native.dossier_columns import COLUMNS
from tests.dossiers.many_dossiers import small, tag_of

pytestmark = pytest.mark.anyio
MAIN = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
EXPORT = "/dossiers:export?purpose=COC"


@pytest.fixture
async def pushed(served):
    given = [small(number) for number in range(5)]
    for number, dossier in enumerate(given):
        dossier["person"]["identity"] |= {"birthName": f"NOM{4 - number}"}
    given[2]["person"]["identity"] |= {"birthName": '=HYPERLINK("x";"y")'}
    for each in given:
        body = json.dumps(each).encode()
        json_ = {"content-type": "application/json"}
        answer = await served.ask("PUT", f"/dossiers/{tag_of(each)}", body, json_)
        assert answer.status_code == 201, answer.text
    return given


async def table(served, query=""):
    answer = await served.ask("GET", EXPORT + query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="dossiers.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


async def test_the_usual_columns_are_headed_in_french_and_hold_no_matricule(served, pushed):
    heads, *rows = await table(served)
    assert heads == [COLUMNS[name].heading for name in patient_list.USUAL]
    assert "Matricule INS" not in heads
    assert len(rows) == 5
    assert rows[0][1] == "actif"


async def test_columns_are_chosen_filters_hold_and_no_cell_is_a_formula(
    served, pushed, monkeypatch
):
    monkeypatch.setattr("passerelle.api.dossier_lists.PAGE", 2)
    heads, *rows = await table(served, "&columns=birthName,dossier&_sort=updated")
    assert heads == ["Nom de naissance", "Dossier"]
    assert rows == [
        ["NOM4", "N-00000"],
        ["NOM3", "N-00001"],
        ['\'=HYPERLINK("x";"y")', "N-00002"],
        ["NOM1", "N-00003"],
        ["NOM0", "N-00004"],
    ]
    assert (await table(served, "&columns=dossier&name=nom1"))[1:] == [["N-00003"]]


async def test_every_column_can_be_taken_out(served, pushed):
    heads, *rows = await table(served, f"&columns={','.join(COLUMNS)}&name=nom1")
    assert len(rows) == 1
    assert all(len(row) == len(heads) for row in rows)


async def test_a_workbook_holds_the_same_texts(served, pushed):
    wanted = await table(served, "&columns=birthName,dossier,status")
    answer = await served.ask("GET", f"{EXPORT}&columns=birthName,dossier,status&format=xlsx")
    assert answer.headers["content-type"] == patient_list.MEDIA["xlsx"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet = etree.fromstring(  # noqa: TID251
            book.read("xl/worksheets/sheet1.xml"), etree.XMLParser(resolve_entities=False)
        )
    rows = [
        ["".join(cell.itertext()) for cell in row.findall("m:c", MAIN)]
        for row in sheet.iterfind(".//m:row", MAIN)
    ]
    assert rows == [[cell.removeprefix("'") for cell in row] for row in wanted]
    assert not sheet.findall(".//m:f", MAIN)


async def test_what_was_taken_out_and_why_is_written_down_and_not_of_whom(served, pushed):
    with structlog.testing.capture_logs() as logs:
        await table(served, "&name=nom1&columns=dossier,ins")
    (told,) = [each for each in logs if each["event"] == "dossiers.exported"]
    told.pop("log_level")
    assert told == {
        "event": "dossiers.exported",
        "purpose": "COC",
        "format": "csv",
        "columns": ["dossier", "ins"],
        "filters": ["name"],
        "rows": 1,
        "whole": True,
    }


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("?purpose=COC&columns=adresse", "dossier.column-unknown"),
        ("?purpose=COC&columns=", "dossier.column-unknown"),
        ("?purpose=COC&format=pdf", "http.parameter-malformed"),
        ("?purpose=curiosité", "http.parameter-malformed"),
        ("", "http.parameter-malformed"),
        ("?purpose=COC&nom=x", "dossier.parameter-unknown"),
        ("?purpose=COC&limit=3", "dossier.parameter-unknown"),
    ],
)
async def test_what_cannot_be_taken_out_is_refused(served, rules, query, rule):
    answer = await served.ask("GET", f"/dossiers:export{query}")
    assert (answer.status_code, rules(answer)) == (400, [rule])


async def test_a_filter_that_cannot_be_asked_is_refused_before_anything_is_answered(served, rules):
    answer = await served.ask("GET", f"{EXPORT}&birthdate=hier")
    assert answer.status_code == 400
    assert rules(answer)
