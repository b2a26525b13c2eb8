"""The parameters of one search as they are read, with every fault at once.

https://hl7.org/fhir/R4/search.html#errors
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir.search.language.clauses import clause
from passerelle.fhir.search.language.criterion import Criterion, Refused, Unknown
from passerelle.fhir.search.language.filter_criteria import filter_criterion
from passerelle.fhir.search.language.reading import Reading
from passerelle.fhir.search.query_results import IGNORED, NOT_SUPPORTED, READERS, Results
from passerelle.fhir.search.search_parameters import ANY

CLAUSES_MAX = 40
FILTER = "_filter"

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.:\-]{0,63}")


def told(name: str, place: int) -> str:
    """Give the name of a parameter as it may be told again: ``#3`` where it looks like none.

    What is no name may be a value that lost its way: a person's name, say.
    """
    return name if _PLAIN.fullmatch(name) else f"#{place}"


def _without(fault: Issue, name: str, said: str) -> Issue:
    """Give a fault without the name of its parameter, which ``said`` stands for."""
    text, text_en = (text.replace(name, said) for text in (fault.text, fault.text_en))
    return replace(fault, text=text, text_en=text_en, expression=None)


class QueryReader:
    """Reads the parameters of one search of some types, none for all of them.

    Empty parameters are not an error, strict or not: they are ignored, and said to be. In a
    condition (``demanding``) they are refused: without one it would designate more.
    """

    __slots__ = (
        *("clauses", "demanding", "ignored", "issues", "known", "reading", "results", "strict"),
        "types",
    )

    def __init__(
        self,
        types: tuple[str, ...],
        reading: Reading,
        *,
        strict: bool,
        demanding: bool = False,
    ) -> None:
        """Start with nothing read."""
        self.demanding = demanding
        self.types = types
        self.known = types or (ANY,)
        self.reading = reading
        self.strict = strict
        self.results = Results(types, reading)
        self.clauses: list[Criterion] = []
        self.ignored: list[str] = []
        self.issues: list[Issue] = []

    def read(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Read all parameters. Raises Invalid with every fault at once."""
        if len(pairs) > CLAUSES_MAX:
            raise Invalid(issue("search.too-many-clauses", limit=CLAUSES_MAX))
        for place, (name, text) in enumerate(pairs, 1):
            if name in IGNORED:
                continue
            try:
                self._read(name, text)
            except Unknown:
                if self.strict:
                    said = told(name, place)
                    known = self.types[0] if len(self.types) == 1 else ANY
                    where = name if said == name else None
                    self.issues.append(
                        issue("search.unknown-parameter", where, name=said, type=known)
                    )
                else:
                    self.ignored.append(name)
            except Refused as refusal:
                self._refuse(refusal.issue, name, place)
        if self.issues:
            raise Invalid(*self.issues)

    def _refuse(self, fault: Issue, name: str, place: int) -> None:
        said = told(name, place)
        self.issues.append(fault if said == name else _without(fault, name, said))

    def _read(self, name: str, text: str) -> None:
        """Read one parameter. Raises Unknown, Refused."""
        if not name:
            raise Unknown
        if name in READERS:
            READERS[name](self.results, name, text)
        elif name.partition(":")[0] in NOT_SUPPORTED:
            raise Refused(issue("search.parameter-not-supported", name, name=name))
        elif not text and not self.demanding:
            self.ignored.append(name)
        elif not text:
            raise Refused(issue("search.value-missing", name, name=name))
        elif name == FILTER:
            self.clauses.append(filter_criterion(self.known, name, text, self.reading))
        else:
            self.reading.follow(name)
            self.clauses.append(clause(self.known, name, text, self.reading))
