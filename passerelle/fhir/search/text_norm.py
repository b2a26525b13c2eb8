"""The normal form of strings that are searched.

https://hl7.org/fhir/R4/search.html#string : case, accents, punctuation and blanks do not count.
French names make it: ``D'Œuvre-Lefèvre`` and ``d oeuvre lefevre`` are the same.
"""

import unicodedata

from passerelle.fhir.characters import ByCharacter

_LETTERS = {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i"}
"""Letters that Unicode does not take apart."""

_SPACES = "`´ʼ−"
"""What is written for an apostrophe or a hyphen, and Unicode does not call punctuation."""

_COUNTS = "@"
"""The one punctuation that counts: it makes an address of mail."""


def _is_between(char: str) -> bool:
    """Tell whether a character stands between words: punctuation, a blank, a control."""
    if char in _SPACES:
        return True
    category = unicodedata.category(char)
    return char not in _COUNTS and (category[0] in "PZ" or category == "Cc")


_TABLE = str.maketrans(
    {**{char: " " for char in map(chr, range(128)) if _is_between(char)}, **_LETTERS}
)


def _fold(text: str) -> str:
    """Fold case and drop accents once."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = (char for char in apart if not unicodedata.combining(char))
    return "".join(" " if _is_between(char) else char for char in bare).translate(_TABLE)


def _folded(char: str) -> str:
    """Fold until nothing changes: taking apart may bring new capitals (™, ℌ)."""
    folded = _fold(char)
    while (again := _fold(folded)) != folded:
        folded = again
    return folded


_FOLDED = ByCharacter(_folded)


def normal(text: str) -> str:
    """Give the normal form: case, accents and ligatures folded, punctuation to single blanks.

    The normal form of a normal form is itself.
    """
    bare = text.lower().translate(_TABLE) if text.isascii() else text.translate(_FOLDED)
    return " ".join(bare.split())
