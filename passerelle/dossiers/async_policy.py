"""How much is answered later, and for how long: requests with ``Prefer: respond-async``.

https://hl7.org/fhir/R4/async.html . Values of the settings, handed in with the gateway.
"""

from dataclasses import dataclass

from passerelle.dossiers.pace import Pace

ANSWER_JOB = "async.answer"
FORGET_JOB = "async.forget"

RETRY_SECONDS = (1.0, 5.0, 30.0)
"""The waits after a failure of the record's; an attempt more than waits is the last."""

LEASE_SECONDS_MAX = 60.0
"""A worker holds a request on while it is at it; that of one that was killed begins again then."""


@dataclass(frozen=True, slots=True)
class AsyncPolicy:
    """``kept_seconds`` is how long an answer can be fetched; ``unfinished_max`` is for each caller.

    An answer comes in files of about ``file_bytes``; it ends with the page that goes beyond
    ``answer_bytes`` or ``answer_seconds``. With an ``unfinished_max`` of 0 every request is
    answered in place.
    """

    file_bytes: int = 50_000_000
    answer_bytes: int = 500_000_000
    answer_seconds: float = 3600.0
    kept_seconds: float = 3600.0
    unfinished_max: int = 8

    @property
    def kept_max(self) -> int:
        """As many requests of one caller are kept, answered ones included."""
        return 4 * self.unfinished_max

    @staticmethod
    def pace(usual: Pace) -> Pace:
        """Give the pace of the worker that answers, no slower than that of the others."""
        return Pace(min(usual.lease_seconds, LEASE_SECONDS_MAX), RETRY_SECONDS)


USUAL = AsyncPolicy()
