"""Where in an XML text the faults of a resource are: line and column, found once there is a fault.

https://hl7.org/fhir/R4/extension-operationoutcome-issue-line.html and
extension-operationoutcome-issue-col.html . The faults of the text itself know their place; those
of the structure check are looked for in a second reading.
"""

from collections.abc import Iterable
from dataclasses import replace

from passerelle.errors.refusals import Issue
from passerelle.fhir.xml.open_element import OpenElement, TooDeep
from passerelle.fhir.xml.reader import Reading

BYTES_MAX = 1_000_000
"""A text above this is not read a second time; its faults have an expression and no line."""

Position = tuple[int, int]


def located(text: bytes, issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Give the issues with line and column of the element that they speak of.

    An element that is missing is looked for where it should be: its place is that of the element
    around it.
    """
    told = tuple(issues)
    lost = {one.expression for one in told if one.expression and one.line is None}
    if not lost or len(text) > BYTES_MAX:
        return told
    reading = _Placing(text)
    try:
        reading.parse()
    except TooDeep:
        pass
    finally:
        reading.parser = None
    where = {place: _nearest(place, reading.places) for place in lost}
    return tuple(
        one if one.line is not None else _at(one, where.get(one.expression or "")) for one in told
    )


def _at(one: Issue, position: Position | None) -> Issue:
    return one if position is None else replace(one, line=position[0], column=position[1])


def _nearest(place: str, places: dict[str, Position]) -> Position | None:
    """Give where a place is, or what is around it."""
    while place:
        for spelled in (place, place + "[0]"):
            if spelled in places:
                return places[spelled]
        head, _, last = place.rpartition(".")
        place = place.rpartition("[")[0] if last.endswith("]") else head
    return None


class _Placing(Reading):
    """A reading that notes where each element begins."""

    def __init__(self, text: bytes) -> None:
        self.places: dict[str, Position] = {}
        super().__init__(text)

    def listen(self) -> None:
        """Look at each element once it has been opened."""
        super().listen()
        self.parser.StartElementHandler = self._placed

    def _placed(self, name: str, attributes: dict[str, str]) -> None:
        position = (self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)
        self.start(name, attributes)
        opened: OpenElement = self.top
        if self.leaf is None:
            self.places.setdefault(opened.place(), position)
            return
        index = ""
        if self.leaf.many and opened.node is not None:
            index = f"[{len(opened.node[self.leaf.name]) - 1}]"
        self.places.setdefault(f"{opened.place()}.{self.leaf.place}{index}", position)
