"""What `_text` and `_content` ask: words, phrases, beginnings of words, joined by AND, OR, NOT.

https://hl7.org/fhir/R4/search.html#text gives an example, ``(bone OR liver) and metastases``, and
leaves the rest to the server. Here a blank is AND, which goes before OR, NOT before both; the
operators are read in capitals or not, and as words between quotation marks.
"""

import re
from typing import Literal, NamedTuple, TypeAlias

from passerelle.fhir.search.full_text_words import GAP, words_of

Column: TypeAlias = Literal["narrative", "content"]

WORDS_MAX = 64
DEPTH_MAX = 10

_TOKEN = re.compile(r'\s+|[()]|"[^"]*"|[^\s()"]+')
_QUOTES = str.maketrans(dict.fromkeys("“”„«»", '"'))
_OPERATORS = frozenset({"and", "or", "not"})


class Phrase(NamedTuple):
    """Words that stand one after another; ``begins``: the last is only the beginning of one."""

    words: tuple[str, ...]
    begins: bool = False


class Joined(NamedTuple):
    """All of several, one of them, or the only one not."""

    operator: Literal["and", "or", "not"]
    parts: tuple["Tree", ...]


Tree: TypeAlias = Phrase | Joined


class FullTextValue(NamedTuple):
    """What is looked for, and where: in the narrative or in the whole resource."""

    column: Column
    tree: Tree


class BadText(ValueError):
    """The expression is none, or asks for no word."""


class TextTooLarge(ValueError):
    """The expression has more words, or stands deeper, than is taken."""


class _Reader:
    """Reads an expression of tokens."""

    def __init__(self, tokens: list[str | Phrase]) -> None:
        self.tokens = tokens
        self.place = 0

    def next(self) -> str | Phrase | None:
        """Give the next token, without taking it."""
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def any(self, depth: int) -> Tree:
        """Read what is joined by OR."""
        parts = [self.all(depth)]
        while self.next() == "or":
            self.place += 1
            parts.append(self.all(depth))
        return parts[0] if len(parts) == 1 else Joined("or", tuple(parts))

    def all(self, depth: int) -> Tree:
        """Read what is joined by AND or stands side by side."""
        parts = [self.one(depth)]
        while (token := self.next()) not in (None, "or", ")"):
            if token == "and":
                self.place += 1
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Joined("and", tuple(parts))

    def one(self, depth: int) -> Tree:
        """Read a phrase, a group, or what is denied."""
        if depth > DEPTH_MAX:
            raise TextTooLarge
        token = self.next()
        self.place += 1
        if isinstance(token, Phrase):
            return token
        if token == "not":
            return Joined("not", (self.one(depth + 1),))
        if token != "(":
            raise BadText
        inner = self.any(depth + 1)
        if self.next() != ")":
            raise BadText
        self.place += 1
        return inner


def _tokens(text: str) -> list[str | Phrase]:
    """Take an expression apart; what has no word in it is left out. Raises BadText."""
    found: list[str | Phrase] = []
    place = 0
    plain = text.translate(_QUOTES)
    while place < len(plain):
        taken = _TOKEN.match(plain, place)
        if taken is None:
            raise BadText  # a quotation mark that is not closed
        place = taken.end()
        token = taken[0]
        if token.isspace():
            continue
        if token in "()" or token.lower() in _OPERATORS:
            found.append(token.lower())
            continue
        words = tuple(word for word in words_of(token) if word != GAP)
        if words:
            begins = not token.startswith('"') and token.endswith("*")
            found.append(Phrase(words, begins))
    return found


def parse_full_text(text: str) -> Tree:
    """Read an expression. Raises BadText, TextTooLarge."""
    tokens = _tokens(text)
    if sum(len(token.words) for token in tokens if isinstance(token, Phrase)) > WORDS_MAX:
        raise TextTooLarge
    reader = _Reader(tokens)
    tree = reader.any(0)
    if reader.next() is not None:
        raise BadText
    return tree
