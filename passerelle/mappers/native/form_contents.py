"""What the schema cannot say of a form: how deep and how many its answers are, which numbers.

https://hl7.org/fhir/R4/datatypes.html#decimal : what R4 can carry exactly, and everybody can read.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

DEPTH_MAX = 12
"""How deep answers may stand in one another."""

ANSWERS_MAX = 5000
"""Answers of one form, at all depths."""

DIGITS_MAX = 18
"""Digits of a number, before and after its point."""

Place = tuple[str | int, ...]
Fault = tuple[str, Place, Mapping[str, object]]
"""A rule, where in the form, the parts of its text."""


def check(form: Mapping[str, Any]) -> Iterator[Fault]:
    """Give the faults of a form of right shape."""
    for index, score in enumerate(form.get("scores", ())):
        yield from _number(score["value"], ("scores", index, "value"))
    for count, (place, answer) in enumerate(walk(form.get("answers", ()), ("answers",))):
        if count == ANSWERS_MAX:
            yield "dossier.answers-too-many", ("answers",), {"limit": ANSWERS_MAX}
            return
        if len(place) // 2 > DEPTH_MAX:
            yield "dossier.answers-too-deep", place, {"limit": DEPTH_MAX}
            return
        for index, value in enumerate(answer.get("values", ())):
            number = value.get("value") if isinstance(value, dict) else value
            yield from _number(number, (*place, "values", index))


def walk(answers: Sequence[Any], place: Place) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Give every answer with its place, what holds others before them."""
    for index, answer in enumerate(answers):
        yield (*place, index), answer
        yield from walk(answer.get("items", ()), (*place, index, "items"))


def _number(value: Any, place: Place) -> Iterator[Fault]:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return
    sign, digits, exponent = Decimal(value).as_tuple()
    del sign
    before = len(digits) + max(int(exponent), 0)
    if max(before, -int(exponent)) > DIGITS_MAX:
        yield "dossier.number-digits", place, {"limit": DIGITS_MAX}
