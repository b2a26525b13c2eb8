"""The words of an IMAP command, sets of numbers, and search keys.

https://www.rfc-editor.org/rfc/rfc3501#section-9
"""

import re
from collections.abc import Callable, Sequence
from email import policy
from email.parser import BytesHeaderParser
from typing import TypeAlias

from passerelle.simulation.mailboxes import Message

Word: TypeAlias = "str | list[Word]"
Predicate: TypeAlias = Callable[[int, Message], bool]
"""Tells whether a mail, with its sequence number, is looked for."""

LITERAL = re.compile(rb"\{(\d{1,9})(\+?)\}\Z")
DEPTH_MAX = 10


class SyntaxFault(Exception):
    """A command that cannot be read (answered BAD)."""


def words(pieces: Sequence[bytes]) -> list[Word]:
    """Read a command: its lines, and the literals between them, into words and lists.

    ``pieces`` holds text and literals by turns, text first.
    """
    stack: list[list[Word]] = [[]]
    for place, piece in enumerate(pieces):
        if place % 2:
            stack[-1].append(piece.decode("utf-8", "replace"))
        else:
            _read_text(piece.decode("utf-8", "replace"), stack)
    if len(stack) != 1:
        raise SyntaxFault("unbalanced parentheses")
    return stack[0]


_TOKEN = re.compile(
    r'\s*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\\r\n]|\\["\\])*)"'
    r"|(?P<atom>(?:\[[^\]]*\]|[^\s()\[\]\"])+))"
)


def _read_text(text: str, stack: list[list[Word]]) -> None:
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None:
            raise SyntaxFault("unreadable word")
        place = found.end()
        if found["open"]:
            if len(stack) > DEPTH_MAX:
                raise SyntaxFault("too deep")
            opened: list[Word] = []
            stack[-1].append(opened)
            stack.append(opened)
        elif found["close"]:
            if len(stack) == 1:
                raise SyntaxFault("unbalanced parentheses")
            stack.pop()
        elif found["quoted"] is not None:
            stack[-1].append(re.sub(r"\\(.)", r"\1", found["quoted"]))
        else:
            stack[-1].append(found["atom"])


def text_of(word: Word) -> str:
    """Give a word that must be text."""
    if isinstance(word, list):
        raise SyntaxFault("text expected")
    return word


def number_set(text: str, highest: int) -> Callable[[int], bool]:
    """Read a set of numbers (``1,3:5,7:*``); ``*`` is the highest there is."""
    spans: list[tuple[int, int]] = []
    for part in text.split(","):
        first, colon, last = part.partition(":")
        low, high = _number(first, highest), _number(last if colon else first, highest)
        spans.append((min(low, high), max(low, high)))
    return lambda number: any(low <= number <= high for low, high in spans)


def _number(text: str, highest: int) -> int:
    if text == "*":
        return highest
    if not text.isdecimal() or len(text) > 10:
        raise SyntaxFault("number expected")
    return int(text)


FLAG_KEYS = {
    "SEEN": ("\\Seen", True),
    "UNSEEN": ("\\Seen", False),
    "ANSWERED": ("\\Answered", True),
    "UNANSWERED": ("\\Answered", False),
    "DELETED": ("\\Deleted", True),
    "UNDELETED": ("\\Deleted", False),
    "FLAGGED": ("\\Flagged", True),
    "UNFLAGGED": ("\\Flagged", False),
    "DRAFT": ("\\Draft", True),
    "UNDRAFT": ("\\Draft", False),
}
HEADER_KEYS = {"FROM", "TO", "CC", "SUBJECT"}


def search(criteria: Sequence[Word], *, highest_number: int, highest_uid: int) -> Predicate:
    """Read search keys; all of them must hold."""
    rest = list(criteria)
    if rest and rest[0] == "CHARSET":
        rest = rest[2:]
    keys: list[Predicate] = []
    while rest:
        keys.append(_key(rest, highest_number, highest_uid))
    return lambda number, message: all(key(number, message) for key in keys)


def _key(rest: list[Word], highest_number: int, highest_uid: int) -> Predicate:
    """Take one key off the front of the words, and give what it asks."""
    if not rest:
        raise SyntaxFault("search key expected")
    word = rest.pop(0)
    if isinstance(word, list):
        return search(word, highest_number=highest_number, highest_uid=highest_uid)
    name = word.upper()
    if name in ("ALL", "OLD"):
        return lambda number, message: True
    if name in ("RECENT", "NEW"):
        return lambda number, message: False
    if name in FLAG_KEYS:
        flag, wanted = FLAG_KEYS[name]
        return lambda number, message: (flag in message.flags) is wanted
    if name == "UID":
        uids = number_set(text_of(_next(rest)), highest_uid)
        return lambda number, message: uids(message.uid)
    if name == "NOT":
        denied = _key(rest, highest_number, highest_uid)
        return lambda number, message: not denied(number, message)
    if name == "OR":
        one = _key(rest, highest_number, highest_uid)
        other = _key(rest, highest_number, highest_uid)
        return lambda number, message: one(number, message) or other(number, message)
    if name in HEADER_KEYS or name == "HEADER":
        header = text_of(_next(rest)) if name == "HEADER" else name
        return _header_key(header, text_of(_next(rest)))
    numbers = number_set(word, highest_number)
    return lambda number, message: numbers(number)


def _next(rest: list[Word]) -> Word:
    if not rest:
        raise SyntaxFault("value expected")
    return rest.pop(0)


def _header_key(header: str, wanted: str) -> Predicate:
    def holds(number: int, message: Message) -> bool:
        parsed = BytesHeaderParser(policy=policy.default).parsebytes(message.raw)
        values = [str(value).lower() for value in parsed.get_all(header, [])]
        return any(wanted.lower() in value for value in values)

    return holds
