"""Where the entries of a push stand in its body, as JSON Pointers.

https://www.rfc-editor.org/rfc/rfc6901
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from passerelle.errors.refusals import Conflict, Issue
from passerelle.fhir.json_text import decode
from passerelle.mappers.native.dossier import SECTIONS
from passerelle.mappers.native.dossier_faults import pointer
from passerelle.mappers.resources.documents_folders import SECTION as FOLDERS

WRITE = re.compile(r"writes\[([0-9]+)\]")
"""How the commit names one of several writes."""

ROOTS = {"dossier": "", "person": "/person", "managing": "/managing"}


class Places:
    """The places of one body, looked for only when there is something to say."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def of(self, section: str, key: str) -> str:
        """Give the place of an entry; that of its section when the push does not name it."""
        if section in ROOTS:
            return ROOTS[section]
        place = "documents" if section == FOLDERS else section
        return self._entries.get((section, key), pointer((place,)))

    def of_commit(self, refusal: Conflict, entries: Sequence[tuple[str, str]]) -> Conflict:
        """Give the refusal of a commit with places of the body, in the order of the writes.

        ``entries`` names (section, key) of each write of the unit.
        """
        issues: dict[tuple[str, str | None], Issue] = {}
        for said in refusal.issues:
            number = WRITE.fullmatch(said.expression or "")
            place = self.of(*entries[int(number[1]) if number else 0])
            if (place, said.rule) == (ROOTS["person"], "record.identifier-taken"):
                place += "/identifiers"
            issues.setdefault((said.rule, place), replace(said, expression=place))
        return Conflict(*issues.values())

    @cached_property
    def _entries(self) -> dict[tuple[str, str], str]:
        content = decode(self._body)
        return {
            (section, entry["key"]): pointer((section, index))
            for section in SECTIONS
            for index, entry in enumerate(content.get(section, ()))
            if isinstance(entry, dict) and isinstance(entry.get("key"), str)
        }
