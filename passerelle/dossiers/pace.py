"""How fast jobs are worked on: how long one is held, and how long it waits before the next try.

Values of the settings, handed in with the gateway. Trying again: RFC 5321 section 4.5.4.1
(https://www.rfc-editor.org/rfc/rfc5321#section-4.5.4.1).
"""

from dataclasses import dataclass

SECOND = 1_000_000
MINUTE, HOUR = 60.0, 3600.0
WAITS = (5.0, 15.0, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR)
LEASE = 1800.0
"""Its share below is longer than a dialogue with a slow server that RFC 5321 section 4.5.3.2 lets
take 10 minutes to answer the end of the data, after 5 to each command: left any earlier, every
attempt would end uncertain and be a copy more."""

HANDS_ON = 0.8
"""The part of a lease that one step may take: what is left is for writing what came of it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a job is leased, and the waits after its attempts: one more attempt than waits.

    A worker that dies gives its jobs back when their lease runs out. What time alone seldom heals
    (a password, a certificate) is not tried again once the waits come to ``bounded_seconds``.
    """

    lease_seconds: float = LEASE
    retry_seconds: tuple[float, ...] = (*WAITS, 16 * HOUR)
    bounded_seconds: float = 12 * HOUR

    @property
    def step_seconds(self) -> float:
        """Give how long a step with the outside may take, so that no other worker begins it."""
        return self.lease_seconds * HANDS_ON

    def is_spent(self, attempts: int) -> bool:
        """Tell whether an attempt is one too many: those before it never came to an end."""
        return attempts > len(self.retry_seconds) + 1

    def due_again(self, now: int, attempts: int, *, bounded: bool = False) -> int | None:
        """Give when to try again after so many attempts, or None when that was the last."""
        waits = self.retry_seconds[:attempts]
        if attempts > len(self.retry_seconds) or (bounded and sum(waits) > self.bounded_seconds):
            return None
        return now + round(waits[-1] * SECOND)


USUAL = Pace()
