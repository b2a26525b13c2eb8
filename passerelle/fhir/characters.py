"""Texts that are changed character by character, in a time that grows as they do.

Taking a text apart as a whole (https://www.unicode.org/reports/tr15/) sorts the marks that follow a
letter, which takes the square of their number: a name of some 100,000 accents would take minutes.
Where the marks are dropped anyway their order does not matter, and each character is looked at by
itself.
"""

from collections.abc import Callable

KEPT_MAX = 20_000
"""As many characters are kept with what becomes of them; all others are worked out each time."""


class ByCharacter(dict[int, str]):
    """A table for ``str.translate``: what becomes of a character is worked out when it is met."""

    def __init__(self, change: Callable[[str], str]) -> None:
        super().__init__()
        self._change = change

    def __missing__(self, code: int) -> str:
        """Work out what becomes of the character of that number."""
        made = self._change(chr(code))
        if len(self) < KEPT_MAX:
            self[code] = made
        return made
