"""How a French name sounds, for the parameter ``phonetic``.

https://hl7.org/fhir/R4/patient.html#search leaves the algorithm to the server. This one folds what
French spells in several ways, one rule of the table after another: letters that are not heard
(``h``, doubled ones, ``s`` in ``Duchesne``, the ends of ``Dupont``), letters of one sound (``ph``
and ``f``, ``qu`` and ``k``, ``eau`` and ``o``, ``oy`` and ``oi``) and the nasal vowels, for which
digits stand. Dupont, Dupond and Dupons sound alike, so do Lefèvre and Lefebvre, Geoffroy and
Joffroi. It is the same for ever: index rows are made with it (``INDEX_FORM``).
"""

import re
from functools import lru_cache

from passerelle.fhir.search.text_norm import normal

_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[^a-z]", ""),
        # What is written and not heard.
        (r"ss", "S"),
        (r"(.)\1+", r"\1"),
        (r"ebv|ebu(?=r)", "ev"),
        (r"es(?=[qnml])", "e"),
        (r"bapt", "bat"),
        (r"^dj", "j"),
        (r"e?aul(?=[dt])", "au"),
        # Consonants: 5 is the sound of ``ch``, S one that stays sharp between vowels.
        (r"ph", "f"),
        (r"sch|sh|ch(?![lrn])", "5"),
        (r"ch", "k"),
        (r"h", ""),
        (r"gn", "ny"),
        (r"gu(?=[eiy])", "G"),
        (r"ge(?=[aou])|g(?=[eiy])", "j"),
        (r"qu|q|ck|c(?![eiy])", "k"),
        (r"c", "S"),
        # Vowels: 1, 2 and 3 are those of ``vin``, ``vent`` and ``bon``, 8 the one of ``feu``.
        (r"eau|au", "o"),
        (r"[ae][iy]n(?![aeiouy])|[iy][nm](?![aeiouymn])|u[nm](?![aeiouymn])", "1"),
        (r"[ae][nm](?![aeiouymn])", "2"),
        (r"o[nm](?![aeiouymn])", "3"),
        (r"oi|oy", "wa"),
        (r"ou", "u"),
        (r"o?eu", "8"),
        (r"[ae][iy]", "e"),
        (r"y", "i"),
        (r"w", "v"),
        (r"(?<=[aeiou8])s(?=[aeiou8])|x(?=.)", "z"),
        # Ends.
        (r"(?<=[123u])p(?=[dtsxz]*$)", ""),
        # From where a run begins only: in its midst it would be gone through again and again.
        (r"(?<=.)(?:e[tsxz]*+|(?:(?<![dtsxz])|(?<=\A.))[dtsxz]++)$", ""),
        (r"(.)\1+", r"\1"),
    )
)
"""What is replaced by what, in this order."""

_TOGETHER_MAX = 3
"""Words that may be written together."""


@lru_cache(4_096)
def phonetic(text: str) -> str:
    """Give the form of a word that is the same for words that sound alike.

    What nothing is left of, such as a number, is its own normal form.
    """
    word = norm = normal(text)
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word.lower() or norm


def sounds(text: str) -> tuple[tuple[str, str], ...]:
    """Give the words of a text, each with how it sounds before it."""
    return tuple((phonetic(word), word) for word in normal(text).split())


def together(words: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Give how two or three words sound when they are written as one; ``Le Gall``, ``Legall``."""
    if not 1 < len(words) <= _TOGETHER_MAX:
        return ()
    whole = "".join(word for _, word in words)
    return ((phonetic(whole), whole),)
