"""What was made of terminology resources, until one of them changes: bounded, one per gateway."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

WEIGHT_MAX = 1_000_000
"""Concepts and members that are held at once; the least lately asked go first."""


class TermCache:
    """Made things by key, all of one state of the record (``stamp``)."""

    def __init__(self, weight_max: int = WEIGHT_MAX) -> None:
        self._weight_max = weight_max
        self._stamp: int | None = None
        self._made: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._weight = 0

    def at(self, stamp: int) -> None:
        """Forget everything unless it was made of that state of the record."""
        if stamp != self._stamp:
            self._stamp = stamp
            self._made.clear()
            self._weight = 0

    def get(self, key: Hashable, stamp: int) -> Any:
        """Give what was made at that state, or None."""
        found = self._made.get(key) if stamp == self._stamp else None
        if found is None:
            return None
        self._made.move_to_end(key)
        return found[0]

    def keep(self, key: Hashable, stamp: int, made: Any, weight: int) -> None:
        """Keep what was made, unless the record has changed meanwhile or it is too heavy."""
        if stamp != self._stamp or weight > self._weight_max or key in self._made:
            return
        self._made[key] = (made, weight)
        self._weight += weight
        while self._weight > self._weight_max:
            _, (_, gone) = self._made.popitem(last=False)
            self._weight -= gone
