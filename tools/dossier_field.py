"""One line of the dossier's mapping."""

from typing import NamedTuple


class Field(NamedTuple):
    """A native field, the FHIR elements that hold it, and what is to be said of it.

    ``fhir`` is empty for what goes nowhere; where it names several, at least one is filled.
    """

    native: str
    fhir: tuple[str, ...] = ()
    note: str = ""
