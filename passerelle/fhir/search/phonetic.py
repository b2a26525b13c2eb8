"""How a French name sounds, for the parameter ``phonetic``.

https://hl7.org/fhir/R4/patient.html#search leaves the algorithm to the server. This one folds what
French spells in several ways (``eau`` and ``o``, ``ph`` and ``f``, ``ain`` and ``in``, doubled and
mute letters): Dupont, Dupond and Dupon sound alike, so do Lefèvre and Lefebvre, Meyer and Maier.
"""

import re
from functools import lru_cache

from passerelle.fhir.search.text_norm import normal

_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[^a-z]", ""),
        (r"ss", "S"),
        (r"(.)\1+", r"\1"),
        (r"ebv|ebu(?=r)", "ev"),
        (r"ph", "f"),
        (r"sch|sh|ch(?![lrn])", "5"),
        (r"ch", "k"),
        (r"h", ""),
        (r"gn", "ny"),
        (r"gu(?=[eiy])", "G"),
        (r"g(?=[eiy])", "j"),
        (r"qu|q|ck|c(?![eiy])", "k"),
        (r"c", "s"),
        (r"eau|au", "o"),
        (r"[ae][iy]n(?![aeiouy])|[iy][nm](?![aeiouymn])|u[nm](?![aeiouymn])", "1"),
        (r"[ae][nm](?![aeiouymn])", "2"),
        (r"o[nm](?![aeiouymn])", "3"),
        (r"oi|oy", "wa"),
        (r"ou", "u"),
        (r"[ae][iy]|oe|eu", "e"),
        (r"y", "i"),
        (r"w", "v"),
        (r"(?<=[aeiou])s(?=[aeiou])|x", "z"),
        (r"[dtsSxzpe]+$", ""),
        (r"(.)\1+", r"\1"),
    )
)


@lru_cache(4_096)
def phonetic(text: str) -> str:
    """Give the form of a word that is the same for words that sound alike.

    What nothing is left of, such as a number, is its own normal form.
    """
    word = norm = normal(text)
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word.lower() or norm
