"""The grammar of search expressions: the small part of FHIRPath that they are written in.

http://hl7.org/fhirpath/N1/#grammar : paths, ``[0]``, functions, ``as`` and ``is``, ``|``, ``=``,
``!=``, ``and``, ``or``, literals and ``%resource``. A text is read into a tree of these values;
what the names in it mean is another file's (``expressions``).
"""

import re
from typing import NamedTuple, TypeAlias


class Member(NamedTuple):
    """``source.name``; of the focus when there is no source."""

    source: "Tree | None"
    name: str


class Call(NamedTuple):
    """``source.name(argument)``."""

    source: "Tree | None"
    name: str
    arguments: "tuple[Tree, ...]"


class Item(NamedTuple):
    """``source[place]``."""

    source: "Tree"
    place: int


class Cast(NamedTuple):
    """``source as type``, ``source.as(type)`` or ``source.ofType(type)``."""

    source: "Tree"
    type: str


class Is(NamedTuple):
    """``source is type``."""

    source: "Tree"
    type: str


class Binary(NamedTuple):
    """``left operator right``."""

    operator: str
    left: "Tree"
    right: "Tree"


class Literal(NamedTuple):
    """A string or a boolean."""

    value: str | bool


class Variable(NamedTuple):
    """``%name``."""

    name: str


Tree: TypeAlias = Member | Call | Item | Cast | Is | Binary | Literal | Variable

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'[^']*')|(?P<number>[0-9]+)|(?P<name>%?[A-Za-z_]\w*)"
    r"|(?P<sign>!=|[.()\[\],|=]))"
)
_LEVELS = (("or",), ("and",), ("=", "!="), ("|",))
"""Operators from the weakest to the strongest; ``is`` and ``as`` bind stronger than all."""

_CASTS = frozenset({"as", "ofType"})
DEPTH_MAX = 40


def parse(text: str) -> Tree:
    """Read an expression; raises ValueError when it is not one of this grammar."""
    reader = _Reader(text)
    tree = reader.level(0)
    if reader.here is not None:
        raise ValueError(f"not a shape of search expression: {text}")
    return tree


class _Reader:
    """Reads by recursive descent, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.place = 0
        self.depth = 0

    @property
    def here(self) -> str | None:
        """Give the token that is next, None at the end."""
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self, wanted: str | None = None) -> str:
        """Go past the next token and give it."""
        token = self.here
        if token is None or (wanted is not None and token != wanted):
            raise ValueError(f"not a shape of search expression: {self.text}")
        self.place += 1
        return token

    def level(self, level: int) -> Tree:
        """Read operators of one strength, left to right."""
        if level == len(_LEVELS):
            return self.typed()
        left = self.level(level + 1)
        while self.here in _LEVELS[level]:
            operator = self.take()
            left = Binary(operator, left, self.level(level + 1))
        return left

    def typed(self) -> Tree:
        """Read ``path as type`` and ``path is type``."""
        tree = self.path()
        while self.here in ("as", "is"):
            made = Cast if self.take() == "as" else Is
            tree = made(tree, self.name())
        return tree

    def name(self) -> str:
        """Read a name."""
        token = self.take()
        if not token.isidentifier():
            raise ValueError(f"not a shape of search expression: {self.text}")
        return token

    def path(self) -> Tree:
        """Read a term and what follows it by ``.`` and ``[]``."""
        tree = self.term()
        while self.here in (".", "["):
            if self.take() == ".":
                tree = self.step(tree)
            else:
                tree = Item(tree, int(self.take()))
                self.take("]")
        return tree

    def term(self) -> Tree:
        """Read what a path begins with."""
        token = self.here or ""
        if token == "(":
            self.depth += 1
            if self.depth > DEPTH_MAX:
                raise ValueError("a search expression is nested too deeply")
            self.take()
            tree = self.level(0)
            self.take(")")
            return tree
        if token[:1] == "'":
            return Literal(self.take()[1:-1])
        if token in ("true", "false"):
            return Literal(self.take() == "true")
        if token[:1] == "%":
            return Variable(self.take()[1:])
        return self.step(None)

    def step(self, source: Tree | None) -> Tree:
        """Read a member or a function."""
        name = self.name()
        if self.here != "(":
            return Member(source, name)
        self.take()
        if name in _CASTS and source is not None:
            type_ = self.name()
            self.take(")")
            return Cast(source, type_)
        arguments: list[Tree] = []
        while self.here != ")":
            arguments.append(self.level(0))
            if self.here == ",":
                self.take()
        self.take(")")
        return Call(source, name, tuple(arguments))


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"not a shape of search expression: {text}")
        found.append(match[match.lastgroup or 0])
        place = match.end()
    return found
