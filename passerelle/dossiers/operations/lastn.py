"""`$lastn`: the last few Observations of each kind.

https://hl7.org/fhir/R4/observation-operation-lastn.html . Kinds are told by their codes: two that
share a coding are one kind; without any coding the text tells.
"""

from dataclasses import replace
from typing import NamedTuple, TypeAlias

from passerelle.dossiers.repository import Repository
from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource
from passerelle.fhir.search.query import Query
from passerelle.store.contract import Version

Mark: TypeAlias = tuple[str, str]
"""System and code of a coding, or a text without a system."""

SCANNED_MAX = 10_000
"""So many matches are looked at, the latest first."""


class Last(NamedTuple):
    """The Observations found, kind by kind, and whether there were more matches than looked at."""

    found: tuple[Version, ...]
    bounded: bool


async def last(repository: Repository, query: Query, most: int) -> Last:
    """Give at most ``most`` Observations of each kind among the matches of a query.

    The query sorts by date, the latest first; its pages are gone through one by one.
    """
    kinds = _Kinds(most)
    while kinds.seen < SCANNED_MAX:
        page = await repository.search(query)
        for version in page.matches:
            kinds.add(_marks(json_text.decode(version.body or b"{}")), version)
        if page.next is None:
            return Last(kinds.found(), False)
        query = replace(query, cursor=page.next)
    return Last(kinds.found(), True)


class _Kind(NamedTuple):
    """The marks of a kind, and its latest Observations, each with its place among all."""

    marks: set[Mark]
    latest: list[tuple[int, Version]]


class _Kinds:
    """The kinds met so far; two are one as soon as an Observation bears the marks of both."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.seen = 0
        self.by_mark: dict[Mark, _Kind] = {}

    def add(self, marks: set[Mark], version: Version) -> None:
        """Put the next Observation, the latest first, to its kind."""
        joined = {
            id(self.by_mark[mark]): self.by_mark[mark] for mark in marks & self.by_mark.keys()
        }
        latest = sorted(
            [each for kind in joined.values() for each in kind.latest] + [(self.seen, version)],
            key=lambda each: each[0],
        )
        kind = _Kind(marks.union(*(kind.marks for kind in joined.values())), latest[: self.most])
        self.by_mark.update(dict.fromkeys(kind.marks, kind))
        self.seen += 1

    def found(self) -> tuple[Version, ...]:
        """Give the Observations, kind by kind, the kind with the latest one first."""
        kinds = {id(kind): kind for kind in self.by_mark.values()}.values()
        listed = sorted(kinds, key=lambda kind: kind.latest[0][0])
        return tuple([version for kind in listed for _, version in kind.latest])


def _marks(observation: Resource) -> set[Mark]:
    """Give what tells the kind of an Observation: its codings, else its text."""
    code = observation.get("code") or {}
    marks = {
        (str(coding.get("system", "")), str(coding["code"]))
        for coding in code.get("coding", ())
        if "code" in coding
    }
    return marks or {("", " ".join(str(code.get("text", "")).split()).casefold())}
