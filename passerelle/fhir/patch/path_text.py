"""The FHIRPath of a patch, read: the part of the language that leads to a place.

https://hl7.org/fhir/R4/fhirpatch.html ("the path is limited to the simple subset …, with where(),
ofType(), first() …"), http://hl7.org/fhirpath/N1/ . A full engine gives values, not the places
where they stand, which is what a patch changes; so this part is read here.
"""

import re
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

PATH_MAX = 2000
NESTED_MAX = 20
"""How deep brackets may stand in one another."""

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|`(?P<quoted>[^`]+)`"
    r"|'(?P<text>(?:[^'\\]|\\.)*)'|@(?P<date>[0-9T:.+\-Z]+)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<mark>!=|!~|[=~.()\[\]$%])|(?P<end>\Z))"
)
_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
COMPARISONS = frozenset({"=", "!=", "~", "!~"})

CRITERION = frozenset({"where", "exists"})
COUNTED = frozenset({"skip", "take"})
TYPED = frozenset({"ofType", "as"})
WORDED = frozenset({"extension", "startsWith", "endsWith", "contains"})
BARE = frozenset({"first", "last", "tail", "single", "empty", "not", "exists", "hasValue"})
"""The functions that are read, by what stands in their brackets."""


class Name(NamedTuple):
    """A step to the elements of that name."""

    name: str


class At(NamedTuple):
    """A step to the item of that number."""

    number: int


class Call(NamedTuple):
    """A function of what was found so far; ``argument`` is a criterion, a number or a text."""

    name: str
    argument: Any = None


class Literal(NamedTuple):
    """A value."""

    value: str | bool | int | Decimal


class Steps(NamedTuple):
    """A path; ``from_root`` is one that starts at the resource (``%resource``)."""

    steps: tuple["Name | At | Call", ...]
    from_root: bool = False


class Operator(NamedTuple):
    """Two expressions and what is said of them: ``=``, ``!=``, ``~``, ``!~``, and, or."""

    sign: str
    left: "Expression"
    right: "Expression"


Expression: TypeAlias = Steps | Literal | Operator


class NotReadError(ValueError):
    """A text that is no path, or has more of FHIRPath than leads to a place."""


class _Reading:
    """The reading of one text."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.place = 0
        self.depth = 0
        at, kind = 0, ""
        while kind != "end":
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise NotReadError
            kind = match.lastgroup
            self.tokens.append((kind, match[kind]))
            at = match.end()

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.place]

    def take(self) -> tuple[str, str]:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def is_next(self, *marks: str) -> bool:
        kind, text = self.peek()
        return kind in ("mark", "name") and text in marks

    def demand(self, mark: str) -> None:
        if self.take() != ("mark", mark):
            raise NotReadError

    def whole(self) -> Steps:
        """Read a path and nothing after it."""
        found = self.path()
        if self.peek()[0] != "end" or not isinstance(found, Steps):
            raise NotReadError
        return found

    def criterion(self) -> Expression:
        """Read ``a = 'x' and b.exists() or …``; ``and`` binds closer."""
        left = self._all()
        while self.is_next("or"):
            self.take()
            left = Operator("or", left, self._all())
        return left

    def _all(self) -> Expression:
        left = self._compared()
        while self.is_next("and"):
            self.take()
            left = Operator("and", left, self._compared())
        return left

    def _compared(self) -> Expression:
        left = self._term()
        if self.is_next(*COMPARISONS):
            return Operator(self.take()[1], left, self._term())
        return left

    def _term(self) -> Expression:
        kind, text = self.peek()
        if kind == "text":
            self.take()
            return Literal(unescaped(text))
        if kind == "date":
            self.take()
            return Literal(text.removesuffix("T"))
        if kind == "number":
            self.take()
            return Literal(Decimal(text) if "." in text else int(text))
        if kind == "name" and text in ("true", "false"):
            self.take()
            return Literal(text == "true")
        if (kind, text) == ("mark", "("):
            return self._bracketed()
        return self.path()

    def _bracketed(self) -> Expression:
        self.depth += 1
        if self.depth > NESTED_MAX:
            raise NotReadError
        self.demand("(")
        found = self.criterion()
        self.demand(")")
        self.depth -= 1
        return found

    def path(self) -> Steps:
        """Read a path: names, indexes and functions, joined by dots."""
        steps: list[Name | At | Call] = []
        from_root = False
        if self.is_next("$", "%"):
            _, mark = self.take()
            if self.take() != ("name", "this" if mark == "$" else "resource"):
                raise NotReadError
            from_root = mark == "%"
        else:
            steps.append(self._step())
        while self.is_next(".", "["):
            if self.take()[1] == ".":
                steps.append(self._step())
                continue
            kind, text = self.take()
            if kind != "number" or not text.isdecimal() or len(text) > 9:
                raise NotReadError
            steps.append(At(int(text)))
            self.demand("]")
        return Steps(tuple(steps), from_root)

    def _step(self) -> Name | Call:
        kind, text = self.take()
        if kind == "quoted":
            return Name(text)
        if kind != "name":
            raise NotReadError
        return self._call(text) if self.peek() == ("mark", "(") else Name(text)

    def _call(self, name: str) -> Call:
        """Read the brackets of a function."""
        self.depth += 1
        if self.depth > NESTED_MAX:
            raise NotReadError
        self.demand("(")
        argument: Any = None
        if self.peek() == ("mark", ")"):
            if name not in BARE:
                raise NotReadError
        elif name in CRITERION:
            argument = self.criterion()
        else:
            argument = self._argument(name)
        self.demand(")")
        self.depth -= 1
        return Call(name, argument)

    def _argument(self, name: str) -> Any:
        kind, text = self.take()
        if name in WORDED and kind == "text":
            return unescaped(text)
        if name in COUNTED and kind == "number" and text.isdecimal() and len(text) < 10:
            return int(text)
        if name in TYPED and kind in ("name", "quoted"):
            if text in ("FHIR", "System") and self.is_next("."):
                self.take()
                text = self.take()[1]
            return text
        raise NotReadError


def unescaped(text: str) -> str:
    """Give what a text of FHIRPath stands for (section 4.1.2, String)."""

    def plain(match: re.Match[str]) -> str:
        found = match[1]
        return chr(int(found[1:], 16)) if len(found) == 5 else _ESCAPES.get(found, found)

    return _ESCAPED.sub(plain, text)


def parse(text: str) -> Steps:
    """Read a path. Raises NotReadError."""
    if len(text) > PATH_MAX:
        raise NotReadError
    return _Reading(text).whole()
