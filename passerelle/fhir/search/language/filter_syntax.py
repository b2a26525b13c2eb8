"""The grammar of `_filter`: a text to a tree, nothing of its meaning.

https://hl7.org/fhir/R4/search_filter.html . ``and`` and ``or`` have the same rank and are read from
left to right, as the standard says; parentheses join otherwise.
"""

import re
from typing import Literal, NamedTuple, TypeAlias, Union

LENGTH_MAX = 4_000
DEPTH_MAX = 12
TERMS_MAX = 60

OPERATORS = frozenset(
    {
        *("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po"),
        *("ss", "sb", "in", "ni", "re"),
    }
)


class Segment(NamedTuple):
    """One name of a path, and the filter that stands in brackets after it."""

    name: str
    inner: Union["Tree", None] = None


class Places(NamedTuple):
    """Where the parts of a comparison begin, counted in characters."""

    path: int = 0
    operator: int = 0
    value: int = 0


class Comparison(NamedTuple):
    """``path operator value``; ``quoted`` tells that the value stood between quotes."""

    path: tuple[Segment, ...]
    operator: str
    value: str
    quoted: bool
    at: Places = Places()


class Joined(NamedTuple):
    """Two trees joined, or one denied."""

    operator: Literal["and", "or", "not"]
    parts: tuple["Tree", ...]


Tree: TypeAlias = Comparison | Joined


class BadFilter(ValueError):
    """A text that is no filter; ``place`` is where it stops to be one, counted in characters."""

    def __init__(self, place: int) -> None:
        """Keep the place."""
        super().__init__("not a filter")
        self.place = place


class TooLarge(ValueError):
    """A filter that is too long, too deep or of too many terms."""


_BLANK = re.compile(r"[ \t+]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(?::[A-Za-z]+)?")
_WORD = re.compile(r"[a-z]{2,3}(?=[ \t+]|\()")
_OPERATOR = re.compile(r"[a-z]{2}(?=[ \t+])")
_STRING = re.compile(r'"((?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)"')
_TOKEN = re.compile(r"[^\s)\]]+")
"""Any characters but blanks, ``)`` and ``]``."""

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _unescaped(match: re.Match[str]) -> str:
    spelled = match[1]
    return chr(int(spelled[1:], 16)) if len(spelled) > 1 else _ESCAPED.get(spelled, spelled)


class _Reader:
    """Reads a text from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.terms = 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Take what a pattern matches here; raises BadFilter."""
        match = pattern.match(self.text, self.place)
        if match is None:
            raise BadFilter(self.place)
        self.place = match.end()
        return match

    def blank(self) -> None:
        self.take(_BLANK)

    def at(self, mark: str) -> bool:
        """Tell whether a mark stands here, and go past it."""
        if not self.text.startswith(mark, self.place):
            return False
        self.place += len(mark)
        return True

    def expression(self, depth: int) -> Tree:
        """Read terms joined by ``and`` and ``or``, from left to right."""
        if depth > DEPTH_MAX:
            raise TooLarge
        tree = self.term(depth)
        while True:
            self.blank()
            match = _WORD.match(self.text, self.place)
            if match is None:
                return tree
            word = match[0]
            self.place = match.end()
            if word == "and":
                tree = _join("and", tree, self.term(depth))
            elif word == "or":
                tree = _join("or", tree, self.term(depth))
            else:
                raise BadFilter(match.start())

    def term(self, depth: int) -> Tree:
        """Read a comparison, or an expression in parentheses, denied or not."""
        self.blank()
        start = self.place
        match = _WORD.match(self.text, self.place)
        denied = match is not None and match[0] == "not"
        if match is not None and denied:
            self.place = match.end()
            self.blank()
        if self.at("("):
            tree = self.expression(depth + 1)
            self.blank()
            if not self.at(")"):
                raise BadFilter(self.place)
            return Joined("not", (tree,)) if denied else tree
        self.place = start
        return self.comparison(depth)

    def comparison(self, depth: int) -> Comparison:
        """Read ``path operator value``."""
        self.terms += 1
        if self.terms > TERMS_MAX:
            raise TooLarge
        start = self.place
        path = self.path(depth)
        self.blank()
        middle = self.place
        operator = self.take(_OPERATOR)[0]
        if operator not in OPERATORS:
            raise BadFilter(middle)
        self.blank()
        at = Places(start, middle, self.place)
        if self.text.startswith('"', self.place):
            text = self.take(_STRING)[1]
            return Comparison(path, operator, _ESCAPE.sub(_unescaped, text), quoted=True, at=at)
        return Comparison(path, operator, self.take(_TOKEN)[0], quoted=False, at=at)

    def path(self, depth: int) -> tuple[Segment, ...]:
        """Read ``name[filter].name``."""
        found: list[Segment] = []
        while True:
            name = self.take(_NAME)[0]
            inner: Tree | None = None
            if self.at("["):
                inner = self.expression(depth + 1)
                self.blank()
                if not self.at("]"):
                    raise BadFilter(self.place)
            found.append(Segment(name, inner))
            if not self.at("."):
                return tuple(found)


def _join(operator: Literal["and", "or"], left: Tree, right: Tree) -> Joined:
    """Join two trees; a row of the same operator makes one node."""
    if isinstance(left, Joined) and left.operator == operator:
        return Joined(operator, (*left.parts, right))
    return Joined(operator, (left, right))


def parse_filter(text: str) -> Tree:
    """Read a filter. Raises BadFilter at the place where it is none, TooLarge past the bounds."""
    if len(text) > LENGTH_MAX:
        raise TooLarge
    reader = _Reader(text)
    tree = reader.expression(0)
    reader.blank()
    if reader.place != len(text):
        raise BadFilter(reader.place)
    return tree
