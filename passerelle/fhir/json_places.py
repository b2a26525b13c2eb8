"""Where in a JSON text the faults of a resource are: line and column, found once there is a fault.

https://hl7.org/fhir/R4/extension-operationoutcome-issue-line.html ,
https://hl7.org/fhir/R4/extension-operationoutcome-issue-col.html . The text is gone through a
second time, only into the objects and arrays that lead to a fault; all the rest is stepped over at
the speed of the decoder.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from passerelle.errors.refusals import Issue

MEMBERS_MAX = 200_000
"""How many members and items are stepped over in all; faults beyond have no line. A member of an
object where many faults are looked for counts for several: its name is compared to each."""

_KEY = re.compile(rb'[ \t\r\n]*+,?+[ \t\r\n]*+"((?:[^"\\]|\\.)*+)"[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_GAP = re.compile(rb"[ \t\r\n]*+,?+[ \t\r\n]*+")
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d{1,9})\]")
_EXPRESSION = re.compile(r"([A-Z]\w*)(?:\.[A-Za-z_]\w*|\[\d{1,9}\])*", re.ASCII)
_AT_BYTE = re.compile(r"\(byte (\d+)\)")
_OBJECT: Any = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY: Any = msgspec.json.Decoder(list[msgspec.Raw])


class _Top(msgspec.Struct):
    """What is read of a text to know its type."""

    resourceType: str = ""


_TOP: Any = msgspec.json.Decoder(_Top)

Step = str | int
Path = tuple[Step, ...]


class Position(NamedTuple):
    """A place in a text; both count from 1, columns in characters."""

    line: int
    column: int


def located(body: bytes, issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Give the issues with the line and column of what they speak of, where that can be found.

    An element that is missing is looked for where it should be: its place is that of the element
    around it. Issues without a place (a text that cannot be read) are at the byte of the fault.
    """
    told = tuple(issues)
    unread = _fault_of(body) if any(one.expression is None for one in told) else None
    spelled = {one.expression for one in told if one.expression}
    root = _root(body) if spelled else ""
    paths = {text: _path(text) for text in spelled if _is_of(text, root)}
    offsets = _offsets(body, set(paths.values()))
    where = _positions(body, {*offsets.values(), *([] if unread is None else [unread])})

    def place(one: Issue) -> Issue:
        path = paths.get(one.expression) if one.expression else None
        offset = unread if one.expression is None else None if path is None else offsets[path]
        if offset is None:
            return one
        return replace(one, line=where[offset].line, column=where[offset].column)

    return tuple(map(place, told))


def _root(body: bytes) -> str:
    """Give the type of the resource that a text is, which the expressions start with."""
    try:
        return _TOP.decode(body).resourceType or "Resource"
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, ValueError):
        return "Resource"


def _is_of(expression: str, root: str) -> bool:
    """Tell whether an expression speaks of the text: not of a header, nor of a parameter."""
    match = _EXPRESSION.fullmatch(expression)
    return match is not None and match[1] in (root, "Resource")


def _path(expression: str) -> Path:
    """Give the steps of an expression below the resource."""
    return tuple(name or int(index) for name, index in _STEP.findall(expression))


def _fault_of(body: bytes) -> int | None:
    """Give the byte at which a text stops being JSON."""
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError as fault:
        match = _AT_BYTE.search(str(fault))
        return min(int(match[1]), len(body)) if match else len(body)
    except (RecursionError, ValueError):
        return None
    return None


def _positions(body: bytes, offsets: set[int]) -> dict[int, Position]:
    """Count lines and columns up to each offset, in one pass."""
    found: dict[int, Position] = {}
    line, column, last = 1, 1, 0
    for offset in sorted(offsets):
        between = body[last:offset]
        lines = between.count(b"\n")
        if lines:
            line, column = line + lines, 1
            between = between[between.rindex(b"\n") + 1 :]
        column += len(between.decode("utf-8", "replace"))
        found[offset] = Position(line, column)
        last = offset
    return found


def _offsets(body: bytes, paths: set[Path]) -> dict[Path, int]:
    """Give where each path leads in the text, or as far as it leads."""
    start = _GAP.match(body)
    if start is None or not paths:
        return {}
    best: dict[Path, tuple[int, bool, int]] = dict.fromkeys(paths, (0, True, start.end()))
    waiting = [(start.end(), len(body), list(paths), 0)]
    left = MEMBERS_MAX
    while waiting and left > 0:
        first, last, wanted, depth = waiting.pop()
        steps: dict[Step, list[Path]] = {}
        for path in wanted:
            if len(path) > depth:
                steps.setdefault(path[depth], []).append(path)
        for name, at, begin, end in _inside(body, first, last) if steps else ():
            left -= 1 if isinstance(name, int) else 1 + len(steps) // 8  # what comparing costs
            for step in _steps_to(name, steps):
                for path in steps[step]:
                    reached = (depth + 1, step == name, at)
                    best[path] = max(best[path], reached, key=lambda found: found[:2])
                waiting.append((begin, end, steps[step], depth + 1))
            if left <= 0:
                break
    return {path: at for path, (_, _, at) in best.items()}


def _steps_to(name: Step, steps: dict[Step, list[Path]]) -> list[Step]:
    """Give the steps that mean a member: itself, its ``_`` sibling, one of its choice."""
    if isinstance(name, int):
        return [name] if name in steps else []
    return [step for step in steps if isinstance(step, str) and _means(step, name)]


def _means(step: str, name: str) -> bool:
    rest = name.removeprefix("_").removeprefix(step)
    return name in (step, "_" + step) or (name.lstrip("_") != rest and rest[:1].isupper())


def _inside(body: bytes, first: int, last: int) -> Iterator[tuple[Step, int, int, int]]:
    """Give the members of an object or the items of an array: name, place, begin and end."""
    opening = body[first : first + 1]
    try:
        if opening == b"{":
            yield from _members(body, first, _OBJECT.decode(memoryview(body)[first:last]))
        elif opening == b"[":
            yield from _items(body, first, _ARRAY.decode(memoryview(body)[first:last]))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return


def _members(
    body: bytes, first: int, held: dict[str, msgspec.Raw]
) -> Iterator[tuple[Step, int, int, int]]:
    place = first + 1
    for name, raw in held.items():
        key = _KEY.match(body, place)
        if key is None:
            return
        begin, place = key.end(), key.end() + len(memoryview(raw))
        yield name, key.start(1) - 1, begin, place


def _items(
    body: bytes, first: int, held: list[msgspec.Raw]
) -> Iterator[tuple[Step, int, int, int]]:
    place = first + 1
    for index, raw in enumerate(held):
        gap = _GAP.match(body, place)
        begin = place if gap is None else gap.end()
        place = begin + len(memoryview(raw))
        yield index, begin, begin, place
