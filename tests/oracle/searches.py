"""Searches drawn from what the resources of a world say, so that most of them find something."""

from tests.oracle.criteria import Asked, Criterion, named
from tests.oracle.filter_searches import FilterSearches
from tests.oracle.stock import RARE

_UNSORTED = ("composite", "special")


class Searches(FilterSearches):
    """Draws the searches of one world."""

    def asked(self) -> Asked:
        """Draw a search: one criterion, or several, ordered or not."""
        random = self.random
        rare = [type for type in self.types if type in RARE]
        type = random.choice(rare if rare and random.random() < 0.3 else self.types)
        count = random.choice((1, 1, 1, 1, 2, 2, 3))
        criteria = tuple(self.criterion(type) for _ in range(count))
        return Asked(type, criteria, self.order(type) if random.random() < 0.3 else ())

    def order(self, type: str) -> tuple[tuple[str, bool], ...]:
        """Draw one to three keys to sort by, each in its direction."""
        found: dict[str, bool] = {}
        for _ in range(self.random.randint(1, 3)):
            key = self.parameter(type)
            if str(key.kind) not in _UNSORTED and key.code != "phonetic":
                found.setdefault(key.code, self.random.random() < 0.5)
        return tuple(found.items())

    def criterion(self, type: str) -> Criterion:
        """Draw a criterion of any form."""
        draw = self.random.random()
        made: Criterion | None = None
        if draw < 0.16:
            made = self.chained(type)
        elif draw < 0.28:
            made = self.reverse(type)
        elif draw < 0.31:
            made = named("_list", self.random.choice(("list9", "list9", "list0")), "_list")
        elif draw < 0.5:
            made = self.filter(type)
        return made or self.plain(type)
