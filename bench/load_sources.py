"""What each connection of the load sends next: a list in turns, or a script that goes by answers.

Pure: bytes and answers in, bytes out.
"""

from collections.abc import Iterator
from itertools import cycle
from typing import Protocol

from bench.crud_mix import MixPlan, Round
from bench.http_messages import Answer


class Source(Protocol):
    """Where one connection gets its requests from."""

    def next_request(self) -> bytes:
        """Give the next request."""

    def answered(self, answer: Answer) -> None:
        """Take the answer to the last one."""


class Turns:
    """The requests of a list, in turns: all connections share one iterator."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests

    def next_request(self) -> bytes:
        return next(self._requests)

    def answered(self, answer: Answer) -> None:
        """Nothing follows from an answer."""


class Mix:
    """Rounds of the CRUD mix, one after another, each with numbers of its own."""

    def __init__(self, plan: MixPlan, numbers: Iterator[int]) -> None:
        self._plan = plan
        self._numbers = numbers
        self._round = Round(plan, next(numbers))

    def next_request(self) -> bytes:
        found = self._round.next_request()
        while found is None:
            self._round = Round(self._plan, next(self._numbers))
            found = self._round.next_request()
        return found

    def answered(self, answer: Answer) -> None:
        self._round.answered(answer)


def shared_turns(requests: list[bytes]) -> Turns:
    """Make the source that all connections of a load share."""
    return Turns(cycle(requests))
