"""The strict traits of a person, stored as received and compared in a normal form.

Référentiel national d'identitovigilance (RNIV 1),
https://esante.gouv.fr/produits-services/referentiel-national-didentitovigilance . Values that
INSi gave are kept identical (EXI REC 08): nothing here changes a trait, only what it is compared
by.
"""

import re
import unicodedata
from dataclasses import dataclass, field, fields
from typing import Literal

from passerelle.fhir.characters import ByCharacter

UNKNOWN_PLACE = "99999"

_LIGATURES = str.maketrans(
    {"Œ": "OE", "Æ": "AE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "ẞ": "SS"}
)
_BLANKS = re.compile(r"[\s'’ʼ`´‘\-‐‑‒–—−]+")
_DASHES = re.compile(r"[‐‑‒–—−]")
_APOSTROPHES = re.compile(r"[’ʼ`´‘]")
_ALPHABET = re.compile(r"[A-Z'][A-Z '\-]*", re.ASCII)
_DOUBLED = re.compile(r"[ ']{2}")
_TRAIT_MAX = 100


@dataclass(frozen=True, slots=True)
class Traits:
    """The strict traits as received; what is not known is None.

    ``birth_date`` is text: it may be partial (``1979``, ``1979-03``) or lunar (``1979-00-00``).
    ``birth_place`` is the code officiel géographique of a commune or of a country (``99xxx``).
    """

    birth_name: str | None = field(default=None, repr=False)
    first_given_name: str | None = field(default=None, repr=False)
    given_names: str | None = field(default=None, repr=False)
    birth_date: str | None = field(default=None, repr=False)
    sex: str | None = field(default=None, repr=False)
    birth_place: str | None = field(default=None, repr=False)

    def missing(self) -> tuple[str, ...]:
        """Name the traits that are not known, in their order; empty when all are there."""
        return tuple([name for name in NAMES if not (getattr(self, name) or "").strip()])

    def normal(self) -> tuple[str, ...]:
        """Give the form in which two persons' traits are compared."""
        return tuple(normal(getattr(self, name) or "") for name in NAMES)


NAMES = tuple(trait.name for trait in fields(Traits))
"""The names of the traits, in their order."""

_SEX = {"M": "male", "F": "female", "U": "unknown", "UN": "unknown"}


def differ(one: Traits, other: Traits) -> bool:
    """Tell whether two sets of traits are of two persons: a trait that both know differs.

    Compared in normal form; a first given name with the beginning of the list of given names, a
    date as far as both are precise, whatever its separators. An unknown sex says nothing.
    """
    names = (one.birth_name, other.birth_name)
    if all(names) and normal(names[0] or "") != normal(names[1] or ""):
        return True
    first = [normal(traits.first_given_name or "").split() for traits in (one, other)]
    if (
        all(first)
        and first[0][: len(first[1])] != first[1]
        and first[1][: len(first[0])] != first[0]
    ):
        return True
    dates = ["".join(c for c in t.birth_date or "" if c.isdigit())[:8] for t in (one, other)]
    shorter = min(map(len, dates))
    if dates[0][:shorter] != dates[1][:shorter]:
        return True
    sexes = {_SEX.get(t.sex or "", t.sex) for t in (one, other)} - {None, "unknown"}
    places = {t.birth_place for t in (one, other)} - {None, UNKNOWN_PLACE}
    return len(sexes) > 1 or len(places) > 1


def _folded(text: str) -> str:
    """Fold case, accents and ligatures; hyphens and apostrophes stay."""
    return text.upper() if text.isascii() else text.translate(_FOLDED)


def _folded_character(char: str) -> str:
    upper = unicodedata.normalize("NFKD", char).upper().translate(_LIGATURES)
    return "".join(c for c in upper if not unicodedata.combining(c))


_FOLDED = ByCharacter(_folded_character)


def normal(text: str) -> str:
    """Give the comparison key: folded; hyphen and apostrophe are blanks; blanks collapsed.

    >>> normal("Jean-François  d'Œuvre")
    'JEAN FRANCOIS D OEUVRE'
    """
    return _BLANKS.sub(" ", _folded(text)).strip()


def insi_form(text: str) -> str:
    """Give a name in the alphabet of INSi; what does not fit is left for :func:`fits` to refuse."""
    text = _APOSTROPHES.sub("'", _DASHES.sub("-", text))
    return " ".join(_folded(text).split())


def fits(text: str, *, family: bool) -> bool:
    """Tell whether a name, once folded, keeps to the alphabet of INSi.

    A-Z, blank, apostrophe, hyphen; the double hyphen in a family name only; no doubled or combined
    blanks and apostrophes; a given name ends with neither hyphen nor apostrophe.
    """
    form = insi_form(text)
    if not _ALPHABET.fullmatch(form) or len(form) > _TRAIT_MAX or _DOUBLED.search(form):
        return False
    if "---" in form:
        return False
    return family or not ("--" in form or form.endswith(("-", "'")))


Beginning = Literal["whole", "begins", "cut", "differs"]


def beginning(first: str, given_names: str) -> Beginning:
    """Tell how a first given name stands to the list of birth given names (EXI ID 10).

    ``whole``: it is the list; ``begins``: it is the list's first tokens; ``cut``: it is too, but
    the list goes on with a hyphen, so that the first name may be a compound one cut short;
    ``differs``: it does not begin the list.
    """
    tokens, wanted = normal(given_names).split(), normal(first).split()
    if not wanted or tokens[: len(wanted)] != wanted:
        return "differs"
    if len(tokens) == len(wanted):
        return "whole"
    hyphens = [len(normal(name).split()) for name in given_names.split()]
    ends = {sum(hyphens[: n + 1]) for n in range(len(hyphens))}
    return "begins" if len(wanted) in ends else "cut"
