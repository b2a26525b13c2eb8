"""The normal form of strings that are searched.

https://hl7.org/fhir/R4/search.html#string : case, accents, punctuation and blanks do not count.
French names make it: ``D'Œuvre-Lefèvre`` and ``d oeuvre lefevre`` are the same.
"""

import unicodedata

from passerelle.fhir.characters import ByCharacter

_LETTERS = {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i"}
"""Letters that Unicode does not take apart."""

_SPACES = "-'_.,;:/\\()[]\"`´‘’‚‛“”„«»‐‑‒–—―−·ʼ"
"""What stands between words."""

_TABLE = str.maketrans({**dict.fromkeys(_SPACES, " "), **_LETTERS, "\x00": " "})


def _fold(text: str) -> str:
    """Fold case and drop accents once."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    return bare.translate(_TABLE)


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
