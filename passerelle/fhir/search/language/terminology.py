"""What a search asks of a terminology: the codes of a value set, and those above or below a code.

https://hl7.org/fhir/R4/search.html#modifiers (`:in`, `:not-in`, `:above`, `:below`). Whoever has
value sets at hand implements it; a search without one refuses these modifiers by name.
"""

from collections.abc import Collection
from typing import Protocol, TypeAlias

Code: TypeAlias = tuple[str, str]
"""System and code; the empty system says that there is none."""

EXPANSION_MAX = 20_000
"""Codes that one value may stand for."""


class Terminology(Protocol):
    """Value sets and hierarchies of codes, without waiting and without network."""

    def expansion(self, value_set: str) -> Collection[Code] | None:
        """Give the codes of a value set by its canonical address, ``|version`` included if given.

        None when the value set is not known, or cannot be expanded.
        """

    def above(self, system: str, code: str) -> Collection[Code] | None:
        """Give a code and all that subsume it; None when the code is not known."""

    def below(self, system: str, code: str) -> Collection[Code] | None:
        """Give a code and all that it subsumes; None when the code is not known."""
