"""The normal form of strings that are searched.

https://hl7.org/fhir/R4/search.html#string : case, accents, punctuation and blanks do not count.
French names make it: ``D'Œuvre-Lefèvre`` and ``d oeuvre lefevre`` are the same.
"""

import unicodedata

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


_LATIN = {code: folded for code in range(0x80, 0x250) if (folded := _fold(chr(code))).isascii()}
"""The accented letters of European languages, folded beforehand."""


def normal(text: str) -> str:
    """Give the normal form: case, accents and ligatures folded, punctuation to single blanks.

    The normal form of a normal form is itself.
    """
    lower = text.lower()
    bare = lower if lower.isascii() else lower.translate(_LATIN)
    if bare.isascii():
        return " ".join(bare.translate(_TABLE).split())
    folded = _fold(text)
    # Taking apart may bring new capitals (™, ℌ): fold until nothing changes.
    while (again := _fold(folded)) != folded:
        folded = again
    return " ".join(folded.split())
