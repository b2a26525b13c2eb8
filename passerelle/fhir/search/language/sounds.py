"""The criteria ``phonetic``: names as they sound.

https://hl7.org/fhir/R4/patient.html#search . Each word that is asked for must sound like a word of
the name; words that are written together in one of the two sound alike as well.
"""

from collections.abc import Iterable

from passerelle.fhir.search import index_bounds
from passerelle.fhir.search.language.criterion import Clause, Criterion, joined
from passerelle.fhir.search.phonetic import sounds, together
from passerelle.fhir.search.query_values import BadValue, StringValue, unescape
from passerelle.fhir.search.search_parameters import Parameter

SAME = "same"
"""The modifier, which no address can spell, of what is compared whole."""

WORDS_MAX = 8
"""Words of one alternative."""


def _heard(parameter: Parameter, name: str, text: str, heard: tuple[str, str]) -> Clause:
    sound, word = heard
    value = StringValue(index_bounds.text(sound), index_bounds.key(word))
    return Clause(name, text, parameter, SAME, (value,))


def sounding(parameter: Parameter, name: str, text: str, parts: Iterable[str]) -> Criterion:
    """Understand ``phonetic=part,part``, of which one must sound like it; raises BadValue."""
    found: list[Criterion] = []
    for part in parts:
        words = sounds(unescape(part))
        if not 0 < len(words) <= WORDS_MAX:
            raise BadValue
        each = tuple(_heard(parameter, name, text, word) for word in words)
        found.append(joined(name, text, "and", each))
        found += [_heard(parameter, name, text, whole) for whole in together(words)]
    return joined(name, text, "or", tuple(found))
