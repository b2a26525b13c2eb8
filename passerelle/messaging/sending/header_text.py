"""Text in mail headers: encoded words, phrases, parameters; always the same bytes for a text.

RFC 2047 (encoded words), RFC 5322 (quoted strings), RFC 2231 (parameters).
https://www.rfc-editor.org/rfc/rfc2047#section-2

The standard library's folding is right too, but changes from one Python to the next; what has
been sent once must be written again byte for byte.
"""

import unicodedata
from base64 import b64encode
from urllib.parse import quote

PLAIN_MAX = 60
"""Plain text longer than that is encoded, so that the line can be folded anywhere."""

WORD_OCTETS = 36
"""Octets in one encoded word: 48 characters of base64, 60 in all, 75 being the limit."""

_REFUSED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}


def has_control(text: str, *, allowed: str = "") -> bool:
    """Tell whether a text holds a control, a line or paragraph separator or a lone surrogate."""
    return any(
        unicodedata.category(character) in _REFUSED_CATEGORIES and character not in allowed
        for character in text
    )


def unstructured(text: str) -> str:
    """Write free text (Subject): as it is when short and plain, else in folded encoded words."""
    return text if _is_plain(text) else encoded_words(text)


def phrase(text: str) -> str:
    """Write a display name: a quoted string when short and plain, else encoded words."""
    if not _is_plain(text):
        return encoded_words(text)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def encoded_words(text: str) -> str:
    """Write a text as UTF-8 base64 encoded words, cut between characters, one a line."""
    words: list[str] = []
    piece = b""
    for character in text:
        octets = character.encode("utf-8")
        if len(piece) + len(octets) > WORD_OCTETS:
            words.append(_word(piece))
            piece = b""
        piece += octets
    words.append(_word(piece))
    return "\r\n ".join(words)


def parameter(name: str, value: str) -> str:
    """Write a MIME parameter: a quoted string for plain ASCII, else RFC 2231."""
    if value.isascii() and '"' not in value and "\\" not in value:
        return f'{name}="{value}"'
    return f"{name}*=utf-8''{quote(value, safe='')}"


def _word(octets: bytes) -> str:
    return f"=?utf-8?B?{b64encode(octets).decode('ascii')}?="


def _is_plain(text: str) -> bool:
    return text.isascii() and len(text) <= PLAIN_MAX and "=?" not in text and text == text.strip()
