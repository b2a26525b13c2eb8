"""The files of an answer that is given later: one type of resources each, about equally large.

https://hl7.org/fhir/R4/async.html . Their numbers are the ends of their addresses; their bytes are
handed on in parts as soon as a part is full.
"""

from typing import Any

from passerelle.errors.refusals import Issue
from passerelle.fhir.bundles.bundle_lines import Lines
from passerelle.fhir.outcome import operation_outcome
from passerelle.store.async_requests import PART_BYTES, Part

OUTCOME = "OperationOutcome"


class _File:
    """One file: how much is in it, and what of that was not handed on yet."""

    __slots__ = ("buffer", "count", "number", "parts", "size", "type")

    def __init__(self, number: int, type_: str) -> None:
        self.number = number
        self.type = type_
        self.count = self.size = self.parts = 0
        self.buffer = bytearray()

    def add(self, line: bytes) -> None:
        self.buffer += line
        self.count += 1
        self.size += len(line)

    def handed(self, *, last: bool) -> list[Part]:
        found = []
        while len(self.buffer) >= PART_BYTES or (last and self.buffer):
            found.append(Part(self.number, self.parts, bytes(self.buffer[:PART_BYTES])))
            del self.buffer[:PART_BYTES]
            self.parts += 1
        return found


class Files:
    """All files of an answer. A file that has reached ``limit`` bytes is followed by another."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._files: list[_File] = []
        self._current: dict[str, _File] = {}
        self._errors: _File | None = None
        self._said: set[bytes] = set()

    def add(self, lines: Lines) -> None:
        """Add the lines of a page; what is said of it is said once, with the errors."""
        for type_, line in lines.resources:
            file = self._current.get(type_)
            if file is None or (file.size and file.size + len(line) > self.limit):
                file = self._current[type_] = self._new(type_)
            file.add(line)
            self.size += len(line)
        for line in lines.outcomes:
            self._tell(line)

    def complain(self, said: Issue) -> None:
        """Add to the errors."""
        self._tell(operation_outcome([said]) + b"\n")

    def parts(self, *, last: bool) -> list[Part]:
        """Take the parts that are full, and at the end all that is left."""
        return [part for file in self._files for part in file.handed(last=last)]

    def listed(self, place: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Give the files as the manifest lists them: those of the answer, and the errors."""
        output: list[dict[str, Any]] = []
        error: list[dict[str, Any]] = []
        for file in self._files:
            told = {"type": file.type, "url": f"{place}{file.number}", "count": file.count}
            (error if file is self._errors else output).append(told)
        return output, error

    def _tell(self, line: bytes) -> None:
        if line in self._said:
            return
        self._said.add(line)
        if self._errors is None:
            self._errors = self._new(OUTCOME)
        self._errors.add(line)

    def _new(self, type_: str) -> _File:
        file = _File(len(self._files), type_)
        self._files.append(file)
        return file
