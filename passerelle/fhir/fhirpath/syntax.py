"""From the text of a FHIRPath expression to its tree.

http://hl7.org/fhirpath/N1/grammar.html . Precedence is that of
http://hl7.org/fhirpath/N1/#operator-precedence . Nothing is known here of types or of resources.
"""

import re
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from passerelle.fhir.fhirpath.quantities import CALENDAR, Quantity
from passerelle.fhir.fhirpath.temporals import Temporal, temporal

TEXT_MAX = 10_000
DEPTH_MAX = 60
"""How long an expression may be, and how deep its brackets may stand in one another."""


class NotFhirPath(ValueError):
    """The text is no FHIRPath expression, or one with something that is not compiled here.

    The message says what, at which character; it never holds a value of a resource.
    """


class Literal(NamedTuple):
    """A value written in the expression; ``{}`` has none."""

    items: tuple[Any, ...]


class Name(NamedTuple):
    """A step to an element: of what stands before the dot, or of the focus (None)."""

    target: Any
    name: str


class Call(NamedTuple):
    """A function of what stands before the dot, or of the focus (None)."""

    target: Any
    name: str
    arguments: tuple[Any, ...]


class Variable(NamedTuple):
    """``%name``, or ``$this``, ``$index``, ``$total``."""

    name: str


class Indexed(NamedTuple):
    """``target[index]``."""

    target: Any
    index: Any


class Sign(NamedTuple):
    """``-x`` or ``+x``."""

    sign: str
    operand: Any


class Binary(NamedTuple):
    """Two operands and what stands between; of ``is`` and ``as`` the right one is a type name."""

    operator: str
    left: Any
    right: Any


_TOKEN = re.compile(
    r"""(?P<space>(?:\s|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)+)
    |(?P<time>@T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)
    |(?P<date>@\d{4}(?:-\d\d(?:-\d\d)?)?
        (?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<quoted>`(?:[^`\\]|\\.)*`)
    |(?P<variable>%(?:\w+|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)|\$(?:this|index|total))
    |(?P<word>[A-Za-z_]\w*)
    |(?P<sign><=|>=|!=|!~|[~=<>|&+\-*/()\[\]{},.])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_LEVELS: dict[str, int] = {
    word: level
    for level, words in enumerate(
        (
            "implies",
            "or xor",
            "and",
            "in contains",
            "= ~ != !~",
            "< > <= >=",
            "|",
            "is as",
            "+ - &",
            "* / div mod",
        )
    )
    for word in words.split()
}
_SIGN_LEVEL = 10


class Token(NamedTuple):
    """One word of the text: its kind, how it is written, where it starts."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """Cut a text into its words, without spaces and comments. Raises NotFhirPath."""
    if len(text) > TEXT_MAX:
        raise NotFhirPath("longer than an expression may be")
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotFhirPath(f"no word of FHIRPath at character {place}")
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], place))
        place = match.end()
    return [*found, Token("end", "", len(text))]


def unescaped(text: str) -> str:
    """Give what stands between quotes."""

    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, code)

    return _ESCAPE.sub(one, text[1:-1])


class _Reader:
    """Reads the words from left to right, by precedence."""

    def __init__(self, words: list[Token]) -> None:
        self.words = words
        self.place = 0
        self.depth = 0

    @property
    def word(self) -> Token:
        return self.words[self.place]

    def fail(self) -> NoReturn:
        raise NotFhirPath(f"not expected at character {self.word.at}")

    def take(self, *texts: str) -> str | None:
        """Go past the next word if it is one of these."""
        word = self.word
        if word.text in texts and word.kind in ("sign", "word"):
            self.place += 1
            return word.text
        return None

    def demand(self, text: str) -> None:
        if self.take(text) is None:
            self.fail()

    def expression(self, level: int = 0) -> Any:
        """Read operators of this level and tighter."""
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise NotFhirPath("too deep")
        left = self.signed()
        while True:
            word = self.word
            found = _LEVELS.get(word.text) if word.kind in ("sign", "word") else None
            if found is None or found < level:
                break
            self.place += 1
            right = self.type_name() if word.text in ("is", "as") else self.expression(found + 1)
            left = Binary(word.text, left, right)
        self.depth -= 1
        return left

    def signed(self) -> Any:
        sign = self.take("+", "-")
        if sign is None:
            return self.path()
        return Sign(sign, self.expression(_SIGN_LEVEL))

    def type_name(self) -> str:
        """Read ``Patient`` or ``FHIR.Patient``."""
        name = self.identifier()
        while self.take("."):
            name += "." + self.identifier()
        return name

    def identifier(self) -> str:
        word = self.word
        if word.kind not in ("word", "quoted"):
            self.fail()
        self.place += 1
        return unescaped(word.text) if word.kind == "quoted" else word.text

    def path(self) -> Any:
        """Read a term and the steps after it."""
        found = self.term()
        while True:
            if self.take("."):
                found = self.step(found)
            elif self.take("["):
                found = Indexed(found, self.expression())
                self.demand("]")
            else:
                return found

    def step(self, target: Any) -> Any:
        """Read an element's name or a function, after a dot or at the start of a path."""
        if target is not None and self.word.text in ("$this", "$index", "$total"):
            self.fail()
        name = self.identifier()
        if self.take("("):
            arguments: list[Any] = []
            if not self.take(")"):
                arguments.append(self.expression())
                while self.take(","):
                    arguments.append(self.expression())
                self.demand(")")
            return Call(target, name, tuple(arguments))
        return Name(target, name)

    def term(self) -> Any:
        """Read what a path may start with."""
        word = self.word
        if self.take("("):
            inner = self.expression()
            self.demand(")")
            return inner
        if self.take("{"):
            self.demand("}")
            return Literal(())
        if word.kind in ("word", "quoted"):
            if word.text in ("true", "false"):
                self.place += 1
                return Literal((word.text == "true",))
            return self.step(None)
        self.place += 1
        if word.kind == "string":
            return Literal((unescaped(word.text),))
        if word.kind == "number":
            return self.number(word.text)
        if word.kind in ("date", "time"):
            return Literal((_temporal(word),))
        if word.kind == "variable":
            quoted = word.text[1] in "'`"
            return Variable("%" + unescaped(word.text[1:]) if quoted else word.text)
        self.place -= 1
        return self.fail()

    def number(self, text: str) -> Any:
        """Read a number, and the unit after it if there is one."""
        number = Decimal(text) if "." in text else int(text)
        unit = self.word
        if unit.kind == "string":
            self.place += 1
            return Literal((Quantity(Decimal(number), unescaped(unit.text)),))
        if unit.kind == "word" and unit.text in CALENDAR:
            self.place += 1
            return Literal((Quantity(Decimal(number), CALENDAR[unit.text]),))
        return Literal((number,))


def _temporal(word: Token) -> Temporal:
    text = word.text[1:]
    kind = "time" if word.kind == "time" else "dateTime" if "T" in text else "date"
    value = temporal(kind, text.lstrip("T") if kind == "time" else text.rstrip("T"))
    if value is None:
        raise NotFhirPath(f"no such day or time at character {word.at}")
    return value


def parse(text: str) -> Any:
    """Read an expression into its tree. Raises NotFhirPath with the character where it fails."""
    reader = _Reader(tokens(text))
    tree = reader.expression()
    if reader.word.kind != "end":
        reader.fail()
    return tree
