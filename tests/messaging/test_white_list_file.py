"""The white list follows its file, and a bad file never takes the good list away."""

import os

import pytest

from passerelle.errors.refusals import Unavailable, Unprocessable
from passerelle.messaging.white_list_file import WhiteListFile

LIST = """<?xml version="1.0" encoding="UTF-8"?>
<ListeBlanche xmlns="https://listeblanche.mssante.fr/schema">
<DateDeGeneration>01/11/2026 06:00:00</DateDeGeneration><Domaine><Nom>{}</Nom></Domaine>
</ListeBlanche>"""


@pytest.fixture
def write(tmp_path):
    """Writes the file, each time with a date of its own."""
    path = tmp_path / "list.xml"
    dates = iter(range(1_000, 2_000))

    def write_file(text):
        path.write_text(text)
        os.utime(path, (when := next(dates), when))
        return path

    return write_file


def test_a_changed_file_is_read_again(write):
    held = WhiteListFile(write(LIST.format("un.mssante.fr")))
    assert held().lists("a@un.mssante.fr")
    assert held() is held()
    write(LIST.format("deux.mssante.fr"))
    assert held().lists("a@deux.mssante.fr")
    assert not held().lists("a@un.mssante.fr")


def test_a_file_that_turns_bad_or_goes_leaves_the_good_list_in_force(write):
    path = write(LIST.format("un.mssante.fr"))
    held = WhiteListFile(path)
    good = held()
    write("no list")
    assert held() is good
    path.unlink()
    assert held() is good


def test_without_a_good_list_nothing_is_let_through(write, tmp_path):
    with pytest.raises(Unavailable):
        WhiteListFile(tmp_path / "nothing.xml")()
    held = WhiteListFile(write("no list"))
    for _ in range(2):
        with pytest.raises(Unprocessable):
            held()
