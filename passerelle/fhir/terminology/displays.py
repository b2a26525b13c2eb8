"""Which of a concept's names is shown in which language.

https://hl7.org/fhir/R4/valueset-operation-expand.html (displayLanguage). A short name or another
synonym does not stand in for the display when the display may be in that language already.
"""

from collections.abc import Iterable

from passerelle.fhir.terminology.code_system import Designation

SYNONYM = "900000000000013009"
SHORT = frozenset({SYNONYM, "LibelleCourt", "abbreviation"})
"""Uses of designations that are less than the display."""


def languages(header: str | None) -> tuple[str, ...]:
    """Read ``fr-FR, en;q=0.8`` or a single language, best first; quality is the order."""
    parts = [part.partition(";")[0].strip().lower() for part in (header or "").split(",")]
    return tuple(part for part in parts if part and part != "*")[:10]


def display_in(
    wanted: Iterable[str],
    display: str | None,
    designations: Iterable[Designation],
    language: str | None,
) -> str | None:
    """Give the name in the first of the wanted languages that there is, else the display."""
    listed = tuple(designations)
    for want in wanted:
        if language is not None and speaks(language, want):
            return display
        of_language = [each for each in listed if each.language and speaks(each.language, want)]
        full = [each for each in of_language if not _is_short(each)]
        if full:
            return full[0].value
        if of_language and language is not None:
            return of_language[0].value
    return display


def _is_short(designation: Designation) -> bool:
    return designation.use is not None and designation.use.get("code") in SHORT


def speaks(language: str, wanted: str) -> bool:
    """Tell whether a language is the one wanted: ``fr-FR`` and ``fr`` are, both ways."""
    one, other = language.lower(), wanted.lower()
    return one == other or one.startswith(other + "-") or other.startswith(one + "-")
