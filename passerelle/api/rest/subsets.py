"""``_summary`` and ``_elements`` of a request, which ask for parts of resources.

https://hl7.org/fhir/R4/search.html#summary and #elements . They hold for read, vread, history and
search, and cost nothing where they are not asked for.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir.subsets.subset import Subset, Summary

Pairs: TypeAlias = list[tuple[str, str]]

NAMES = ("_summary", "_elements")
SUMMARIES: dict[str, Summary] = {"true": "true", "text": "text", "data": "data"}
ELEMENTS_MAX = 200
INCLUDES = ("_include", "_revinclude")

_ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9.\[\]]{0,127}")


class Asked(NamedTuple):
    """What a request asks for: a part, its parameters as given, and all other parameters.

    ``counted``: `_summary=count`, the total alone. The other parameters are told as they came.
    """

    subset: Subset | None
    given: Pairs
    rest: Pairs
    counted: bool = False

    def body(self, body: bytes) -> bytes:
        """Give a body as kept, or the part of it that is asked for."""
        return body if self.subset is None else self.subset.of(body)


WHOLE = Asked(None, [], [])
"""What asks for no part."""


def asked(pairs: Sequence[tuple[str, str]]) -> Asked:
    """Take ``_summary`` and ``_elements`` out of the parameters of a request.

    Raises Invalid for a value that the standard does not have, for one that is given twice, and
    for both at once, of which the standard leaves open which one holds.
    """
    given = [pair for pair in pairs if pair[0] in NAMES]
    if not given:
        return Asked(None, [], list(pairs))
    rest = [pair for pair in pairs if pair[0] not in NAMES]
    issues: list[Issue] = []
    names = [name for name, _ in given]
    for name in NAMES:
        if names.count(name) > 1:
            issues.append(issue("search.repeated", name, name=name))
    values = dict(given)
    summary = values.get("_summary")
    if summary is not None and summary not in (*SUMMARIES, "count", "false"):
        issues.append(issue("search.value-invalid", "_summary", name="_summary", kind="code"))
    elements = _elements(values.get("_elements"), issues)
    if summary == "text" and any(name.startswith(INCLUDES) for name, _ in rest):
        issues.append(issue("answer.summary-text-and-include", "_summary"))
    if elements and summary in SUMMARIES:
        issues.append(issue("answer.summary-and-elements", "_elements"))
    if issues:
        raise Invalid(*issues)
    if summary in SUMMARIES:
        return Asked(Subset(SUMMARIES[summary]), given, rest)
    subset = Subset(elements=elements) if elements else None
    return Asked(subset, given, rest, counted=summary == "count")


def _elements(text: str | None, issues: list[Issue]) -> frozenset[str]:
    """Read the names of elements."""
    if text is None:
        return frozenset()
    names = [name.strip().removesuffix("[x]") for name in text.split(",")]
    if not all(map(_ELEMENT.fullmatch, names)):
        issues.append(issue("search.value-invalid", "_elements", name="_elements", kind="string"))
    if len(names) > ELEMENTS_MAX:
        limit = ELEMENTS_MAX
        issues.append(issue("search.too-many-values", "_elements", name="_elements", limit=limit))
    return frozenset(names)
