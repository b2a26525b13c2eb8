"""Cells of a CSV that a spreadsheet opens: none is computed, each is read back as it was."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.mappers.tables.csv_table import BEGINS_A_FORMULA, MARK, csv_lines, safe

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ("=1+1", "+33", "-2", "@SUM(A1)", "\t=1", " =1", "a;b", 'a"b', "a\nb", "\r", "'x", "＝1")
)


def test_a_french_excel_is_told_its_encoding_and_reads_semicolons() -> None:
    assert MARK.decode("utf-8") == "\ufeff"
    assert csv_lines([["Prénoms", "a;b"]]) == 'Prénoms;"a;b"\r\n'.encode()


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_no_cell_begins_a_formula_and_none_is_lost(row: list[str]) -> None:
    text = csv_lines([row]).decode()
    (read,) = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    assert [
        cell.removeprefix("'") if cell != given_ else cell
        for cell, given_ in zip(read, row, strict=True)
    ] == row
    for cell in read:
        assert not cell.lstrip().startswith(BEGINS_A_FORMULA)


def test_what_looks_like_a_formula_behind_blanks_is_a_text() -> None:
    assert [safe(cell) for cell in ("=A1", " =A1", "\u00a0+1", "x=1")] == [
        "'=A1",
        "' =A1",
        "'\u00a0+1",
        "x=1",
    ]
