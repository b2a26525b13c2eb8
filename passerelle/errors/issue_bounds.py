"""How much is said of one input: as many issues, then how many more there are.

https://hl7.org/fhir/R4/operationoutcome.html . A body of some kilobytes can hold a fault at each
of its elements: what is told of it, and looked for in its text, stays bounded.
"""

from collections.abc import Sequence

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue

ISSUES_MAX = 1_000
"""Issues of one answer; a last one, an information, tells how many more there are."""

GRAVITY = {"fatal": 0, "error": 1, "warning": 2, "information": 3}


def bounded(issues: Sequence[Issue], limit: int = ISSUES_MAX) -> tuple[Issue, ...]:
    """Give the issues, at most ``limit`` and one that counts the others.

    Where some are left out, the graver ones are kept and come first: what is not told must not
    make an input look better than it is.
    """
    if len(issues) <= limit + 1:  # the one more may be what counts the others
        return tuple(issues)
    kept = sorted(issues, key=lambda said: GRAVITY[said.severity])[:limit]
    more = issue("answer.more-issues", _root(kept[0]), count=len(issues) - limit, limit=limit)
    return (*kept, more)


def _root(said: Issue) -> str | None:
    """Give the type that an expression starts from, if it is a FHIRPath."""
    root = (said.expression or "").partition(".")[0].partition("[")[0]
    return root if root.isidentifier() else None
