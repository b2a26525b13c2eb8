"""A backtracking matcher of regular expressions that counts its steps, and texts that annoy it.

Python's own matcher goes through the same tree in the same order (its source: ``Modules/_sre``);
what it does not tell is how much it has tried. Here each character that is compared, and each way
that is taken up, is a step.
"""

import re
from collections.abc import Callable, Iterator
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

STEPS_MAX = 50_000
FOREVER = 50
"""A repeat that may go on for more is taken for one without end."""
ODD = "\x01"
"""A character that few patterns take."""

After = Callable[[int], bool]
FLAGS = {op.CATEGORY_DIGIT: r"\d", op.CATEGORY_SPACE: r"\s", op.CATEGORY_WORD: r"\w"}
NOT_FLAGS = {
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_NOT_WORD: r"\W",
}


class TooManySteps(Exception):
    """The matcher has tried more than it may."""


class Matcher:
    """Tries one pattern on texts."""

    def __init__(self, pattern: "re.Pattern[Any]") -> None:
        source = pattern.pattern
        self.source = source.decode("latin-1") if isinstance(source, bytes) else source
        self.flags = pattern.flags & ~re.UNICODE if isinstance(source, bytes) else pattern.flags
        self.tree = list(parser.parse(self.source, self.flags & ~re.DEBUG))
        self.steps = 0
        self.found = False
        self.text = ""
        self.groups: dict[int, str] = {}

    def steps_on(self, text: str, *, anywhere: bool) -> int:
        """Count the steps of one search, or of one match of the whole text."""
        self.steps, self.text, self.found = 0, text, False
        try:
            if not anywhere:
                self.found = self._all(self.tree, 0, 0, lambda at: at == len(text))
                return self.steps
            at = 0
            while at <= len(text):  # as sub() and finditer() go on behind each match
                ends: list[int] = []
                found = self._all(self.tree, 0, at, lambda end, ends=ends: not ends.append(end))
                at = max(ends[0], at + 1) if found else at + 1
        except TooManySteps:
            return STEPS_MAX
        return self.steps

    def _step(self) -> None:
        self.steps += 1
        if self.steps >= STEPS_MAX:
            raise TooManySteps

    def _all(self, nodes: list[Any], index: int, at: int, after: After) -> bool:
        """Match the nodes from an index on, then what comes after."""
        self._step()
        if index == len(nodes):
            return after(at)
        kind, value = nodes[index]
        rest: After = lambda end: self._all(nodes, index + 1, end, after)  # noqa: E731
        if is_character(kind):
            return (
                at < len(self.text)
                and takes(kind, value, self.text[at], self.flags)
                and rest(at + 1)
            )
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            return self._repeated(kind, value, at, rest)
        if kind is op.SUBPATTERN:
            group, _, _, inner = value

            def ended(end: int) -> bool:
                if group is not None:
                    self.groups[group] = self.text[at:end]
                return rest(end)

            return self._all(list(inner), 0, at, ended)
        if kind is op.BRANCH:
            return any(self._all(list(way), 0, at, rest) for way in value[1])
        if kind is op.ATOMIC_GROUP:
            ends: list[int] = []
            found = self._all(list(value), 0, at, lambda end: not ends.append(end))
            return found and rest(ends[0])
        if kind is op.GROUPREF:
            said = self.groups.get(value, "")
            return self.text.startswith(said, at) and rest(at + len(said))
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return self._looks(value, at) is (kind is op.ASSERT) and rest(at)
        assert kind is op.AT, kind
        return self._is_at(value, at) and rest(at)

    def _looks(self, value: Any, at: int) -> bool:
        direction, inner = value
        start = at if direction > 0 else at - inner.getwidth()[0]
        return start >= 0 and self._all(
            list(inner), 0, start, lambda end: direction > 0 or end == at
        )

    def _repeated(self, kind: Any, value: Any, at: int, rest: After) -> bool:
        least, most, inner = value[0], value[1], list(value[2])
        if len(inner) == 1 and is_character(inner[0][0]):
            return self._run(kind, least, most, inner[0], at, rest)
        if kind is op.POSSESSIVE_REPEAT:
            return self._possessed(least, most, inner, at, rest)

        def again(count: int, here: int) -> bool:
            self._step()

            def once(end: int) -> bool:
                return (end > here or count < least) and again(count + 1, end)

            more = count < most
            if count < least:
                return self._all(inner, 0, here, once)
            if kind is op.MIN_REPEAT:
                return rest(here) or (more and self._all(inner, 0, here, once))
            return (more and self._all(inner, 0, here, once)) or rest(here)

        return again(0, at)

    def _possessed(self, least: int, most: int, inner: Any, at: int, rest: After) -> bool:
        count = 0
        while count < most:
            ends: list[int] = []
            found = self._all(inner, 0, at, lambda end, ends=ends: not ends.append(end))
            if not found or ends[0] == at:
                break
            at, count = ends[0], count + 1
        return count >= least and rest(at)

    def _run(self, kind: Any, least: int, most: int, one: Any, at: int, rest: After) -> bool:
        """Match a run of characters: taken all at once, given back one by one."""
        count = 0
        while (
            count < most
            and at + count < len(self.text)
            and takes(one[0], one[1], self.text[at + count], self.flags)
        ):
            self._step()
            count += 1
        if count < least:
            return False
        if kind is op.POSSESSIVE_REPEAT:
            return rest(at + count)
        counts = range(least, count + 1)
        return any(
            rest(at + some) for some in (counts if kind is op.MIN_REPEAT else reversed(counts))
        )

    def _is_at(self, where: Any, at: int) -> bool:
        if where in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
            return at == 0 or bool(
                where is op.AT_BEGINNING and self.flags & re.M and self.text[at - 1] == "\n"
            )
        if where in (op.AT_END, op.AT_END_STRING):
            return at == len(self.text)
        sides = [0 <= each < len(self.text) and self.text[each].isalnum() for each in (at - 1, at)]
        return (sides[0] != sides[1]) is (where is op.AT_BOUNDARY)


def is_character(kind: Any) -> bool:
    """Tell whether a node is of one character."""
    return kind in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN)


def takes(kind: Any, value: Any, character: str, flags: int) -> bool:
    """Tell whether a node of one character takes this one."""
    if kind is op.ANY:
        return character != "\n" or bool(flags & re.DOTALL)
    if kind is op.IN:
        negated = value[0][0] is op.NEGATE
        held = any(_holds(part, character, flags) for part in value if part[0] is not op.NEGATE)
        return held is not negated
    same = _holds((op.LITERAL, value), character, flags)
    return same is (kind is op.LITERAL)


def _holds(part: Any, character: str, flags: int) -> bool:
    kind, value = part
    ways = {character, character.lower(), character.upper()} if flags & re.I else {character}
    if kind is op.LITERAL:
        return chr(value) in ways
    if kind is op.RANGE:
        return any(len(way) == 1 and value[0] <= ord(way) <= value[1] for way in ways)
    assert kind is op.CATEGORY, kind
    spelled = FLAGS.get(value) or NOT_FLAGS[value]
    return re.fullmatch(spelled, character, flags & re.ASCII) is not None


def annoying(matcher: Matcher) -> Iterator[tuple[str, str, str]]:
    """Give (what comes before, what is said again and again, what comes last)."""
    tree, flags = matcher.tree, matcher.flags
    characters = sorted(_telling(list(_of_one(tree)), flags))
    befores = {"", *_befores(tree, "", flags)}
    pumps = {*characters, *_bodies(tree, flags)}
    for before in sorted(befores):
        for pump in sorted(pumps - {""}):
            for last in ("", ODD):
                yield before, pump, last


def _of_one(nodes: Any) -> Iterator[Any]:
    """Give all nodes of one character."""
    for kind, value in nodes:
        if is_character(kind):
            yield kind, value
        for inner in _inner(kind, value):
            yield from _of_one(inner)


def _inner(kind: Any, value: Any) -> list[Any]:
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return [value[2]]
    if kind is op.SUBPATTERN:
        return [value[3]]
    if kind is op.BRANCH:
        return list(value[1])
    if kind is op.ATOMIC_GROUP:
        return [value]
    return [value[1]] if kind in (op.ASSERT, op.ASSERT_NOT) else []


SAMPLES = "aAzZfxu019 \t\n\r.,;:!?-_/\\|'\"`<>()[]{}=+*@#$%&^~éà’–\u0301中" + ODD


def _telling(nodes: list[Any], flags: int) -> set[str]:
    """Give one character for each set of nodes that take the same ones."""
    own = {chr(value) for kind, value in nodes if kind in (op.LITERAL, op.NOT_LITERAL)}
    found: dict[tuple[bool, ...], str] = {}
    for character in [*SAMPLES, *sorted(own)]:
        signature = tuple(takes(kind, value, character, flags) for kind, value in nodes)
        if any(signature):
            found.setdefault(signature, character)
    return set(list(found.values())[:12])


def _sample(nodes: Any, flags: int) -> str:
    """Give a short text that nodes take, as far as that is plain."""
    made = ""
    for kind, value in nodes:
        if is_character(kind):
            own = [chr(value)] if kind is op.LITERAL else []
            made += next((c for c in [*own, *SAMPLES] if takes(kind, value, c, flags)), "")
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            made += _sample(value[2], flags) * value[0]
        elif kind is op.BRANCH:
            made += _sample(value[1][0], flags)
        elif kind in (op.SUBPATTERN, op.ATOMIC_GROUP):
            made += _sample(_inner(kind, value)[0], flags)
    return made


def _befores(nodes: Any, before: str, flags: int) -> Iterator[str]:
    """Give a text that leads to each repeat without end."""
    for kind, value in nodes:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT) and value[1] > FOREVER:
            yield before
        for inner in _inner(kind, value):
            yield from _befores(inner, before, flags)
        before += _sample([(kind, value)], flags)


def _bodies(nodes: Any, flags: int) -> Iterator[str]:
    """Give what each repeat without end may repeat."""
    for kind, value in nodes:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT) and value[1] > FOREVER:
            body = list(value[2])
            yield _sample(body, flags)
            if len(body) == 1 and body[0][0] is op.BRANCH:
                yield from (_sample(way, flags) for way in body[0][1][1])
        for inner in _inner(kind, value):
            yield from _bodies(inner, flags)
