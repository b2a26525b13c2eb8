"""A search as understood: what `GET [base]/[type]?…` asks.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from passerelle.fhir.query_clauses import Clause
from passerelle.fhir.search_parameters import Parameter

COUNT_DEFAULT = 50
COUNT_MAX = 1000


class Sort(NamedTuple):
    """One sort key; a value that is missing comes last either way."""

    parameter: Parameter
    descending: bool = False


class Include(NamedTuple):
    """``Type:param[:target]`` of `_include` (along the reference) or `_revinclude` (against it)."""

    parameter: Parameter
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A search as understood; ``ignored`` names the parameters that were left out (lenient).

    ``count`` is the size of a page (0 asks for no entry); ``only_count`` is `_summary=count`;
    ``cursor`` the opaque place to go on from.
    """

    type: str
    clauses: tuple[Clause, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = COUNT_DEFAULT
    includes: tuple[Include, ...] = ()
    rev_includes: tuple[Include, ...] = ()
    total: Literal["none", "accurate"] = "none"
    only_count: bool = False
    cursor: str | None = None
    ignored: tuple[str, ...] = ()

    def self_pairs(self) -> tuple[tuple[str, str], ...]:
        """Give the parameters that were understood, in canonical order, for the self link."""
        pairs = [(clause.name, clause.text) for clause in self.clauses]
        return tuple(pairs)


def parse(type: str, pairs: Sequence[tuple[str, str]], *, strict: bool) -> Query:
    """Understand the parameters of a search of a resource type.

    An unknown parameter is refused when ``strict``, else named in ``Query.ignored``. Raises
    Invalid with every fault at once.
    """
    raise NotImplementedError


def parse_criteria(type: str, criteria: str) -> Query:
    """Understand a condition such as ``identifier=sys|val&active=true``; always strict."""
    raise NotImplementedError
