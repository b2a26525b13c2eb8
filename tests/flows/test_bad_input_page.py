"""The page of bad input says what the tables say."""

from passerelle.errors.rules import table
from tests.flows import bad_archives, bad_commands
from tests.flows.bad_sections import SECTIONS
from tests.flows.bad_texts import FAULTS, TEXTS
from tests.flows.bad_xml import XML_TEXTS
from tools import write_bad_input


def test_the_page_of_bad_input_is_written_from_the_tables() -> None:
    assert write_bad_input.FILE.read_text(encoding="utf-8") == write_bad_input.write()


def test_every_rule_of_the_tables_is_a_rule() -> None:
    named = {text.answer.rule for text in TEXTS + XML_TEXTS}
    named |= {fault.answer.rule for fault in FAULTS}
    named |= {case.answer.rule for _, cases in SECTIONS for case in cases}
    named |= {bad.rule for bad in bad_archives.ARCHIVES + bad_archives.DOCUMENTS}
    named |= {bad.rule for bad in bad_commands.COMMANDS}
    assert named <= set(table())
