"""What the reading of any FHIR XML has: a safe parser, the faults found, what is passed over.

https://www.w3.org/TR/xml/ , https://hl7.org/fhir/R4/xml.html . The parser is expat; it fetches
nothing, and a document type stops it before anything in it is looked at.
"""

from abc import abstractmethod
from dataclasses import replace
from typing import Any
from xml.parsers import expat

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.json_text import DEPTH_MAX
from passerelle.fhir.xml.open_element import TooDeep

ISSUES_MAX = 100

_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_UNDEFINED_ENTITY = expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]


class Stop(Exception):
    """Nothing more is to be read; why stands among the faults."""


class TextReading:
    """One text being read: the parser, and the faults so far."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.faults: list[Issue] = []
        self.prefixed = False
        self._skipped = 0
        self.parser: Any = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartNamespaceDeclHandler = self._namespace
        self.listen()

    @abstractmethod
    def listen(self) -> None:
        """Read elements of FHIR from here on."""

    def parse(self) -> None:
        """Read the whole text, as far as it can be read. Raises TooDeep."""
        try:
            self.parser.Parse(self.text, True)
        except expat.ExpatError as fault:
            rule = "xml.entity" if fault.code == _UNDEFINED_ENTITY else "xml.ill-formed"
            line, column = fault.lineno, fault.offset + 1
            said = issue(rule, line=line, column=column)
            self.faults.append(replace(said, line=line, column=column))
        except Stop:
            pass

    def fault(self, rule: str, place: str, **parts: object) -> None:
        """Note a fault with the line it is on; raises Stop when there are too many."""
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        said = issue(rule, place, line=line, **parts)
        self.faults.append(replace(said, line=line, column=column))
        if len(self.faults) >= ISSUES_MAX:
            self.faults.append(issue("structure.more", place, count=ISSUES_MAX))
            raise Stop

    def skip(self) -> None:
        """Pass over the element that has just begun, with all that is in it."""
        self._skipped = 1
        self.parser.StartElementHandler = self._skip_start
        self.parser.EndElementHandler = self._skip_end
        self.parser.CharacterDataHandler = None

    def _skip_start(self, _: str, __: dict[str, str]) -> None:
        self._skipped += 1
        if self._skipped > DEPTH_MAX:
            raise TooDeep

    def _skip_end(self, _: str) -> None:
        self._skipped -= 1
        if not self._skipped:
            self.listen()

    def _declaration(self, _: str, encoding: str | None, __: int) -> None:
        """Look at the encoding that the text says it has."""
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            self.faults.append(issue("xml.not-utf8"))
            raise Stop

    def _doctype(self, *_: object) -> None:
        """Refuse a document type before anything in it is looked at."""
        self.faults.append(issue("xml.doctype"))
        raise Stop

    def _namespace(self, prefix: str | None, _: str) -> None:
        """Note that there are prefixes, which a narrative may lean on."""
        if prefix is not None:
            self.prefixed = True
