"""The narrative inside FHIR XML: kept as the text that was sent.

https://hl7.org/fhir/R4/narrative.html#xhtml . A ``div`` that stands by itself is cut out of the
text as it is. One that leans on prefixes declared around it is written anew, XHTML being the
default name space; its comments are lost then.
"""

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from passerelle.fhir.json_text import DEPTH_MAX
from passerelle.fhir.xml.element_forms import XHTML
from passerelle.fhir.xml.open_element import TooDeep

_XML = "http://www.w3.org/XML/1998/namespace "
_CLOSING = re.compile(rb"</(?:[^\s<>/:]{1,200}:)?div\s*>")
_QUOTED = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
_TEXT = {"\r": "&#13;"}


class DivReader:
    """Reads on from the start of a ``div`` to its end, then hands its text over."""

    def __init__(
        self,
        parser: Any,
        text: bytes,
        attributes: dict[str, str],
        *,
        leaning: bool,
        done: Callable[[str], None],
    ) -> None:
        """Take over the handlers of a parser; ``leaning`` tells that prefixes are declared."""
        self.parser = parser
        self.text = text
        self.begin = parser.CurrentByteIndex
        self.leaning = leaning
        self.done = done
        self.depth = 0
        self.parts: list[str] = []
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters if leaning else None
        self._start(f"{XHTML} div", attributes)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise TooDeep
        if not self.leaning:
            return
        space, _, local = name.rpartition(" ")
        declared = f' xmlns="{space}"' if self.depth == 1 or space != XHTML else ""
        self.parts.append(f"<{local}{declared}")
        for key, value in attributes.items():
            spelled = key.replace(_XML, "xml:").rpartition(" ")[2]
            self.parts.append(f' {spelled}="{escape(value, _QUOTED)}"')
        self.parts.append(">")

    def _characters(self, text: str) -> None:
        self.parts.append(escape(text, _TEXT))

    def _end(self, name: str) -> None:
        self.depth -= 1
        if self.leaning:
            local = name.rpartition(" ")[2]
            if self.parts[-1] == ">":
                self.parts[-1] = "/>"
            else:
                self.parts.append(f"</{local}>")
        if self.depth:
            return
        written = self._as_sent()
        self.done("".join(self.parts) if self.leaning and not _stands_alone(written) else written)

    def _as_sent(self) -> str:
        """Cut the ``div`` out of the text. After ``<div/>`` the parser stands behind it already."""
        end = self.parser.CurrentByteIndex
        closing = _CLOSING.match(self.text, end)
        if closing is not None:
            end = closing.end()
        return self.text[self.begin : end].decode()


def _stands_alone(div: str) -> bool:
    """Tell whether a ``div`` can be read by itself."""
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(div, True)
    except expat.ExpatError:
        return False
    return True
