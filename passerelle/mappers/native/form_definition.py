"""The answers of a form against its Questionnaire: links, what is required, types, options.

https://hl7.org/fhir/R4/questionnaire.html . Places are those of the native form.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from passerelle.fhir.resource import Resource
from passerelle.mappers.native.form_contents import Fault, Place, walk
from passerelle.mappers.native.form_enabling import Given, is_enabled
from passerelle.mappers.native.form_values import bare
from passerelle.mappers.resources.forms_answers import element_of

NO_ANSWER = ("group", "display")
ANSWERED_BY: Mapping[str, tuple[str, ...]] = {
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal",),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "choice": ("valueCoding",),
    "open-choice": ("valueCoding", "valueString"),
    "attachment": (),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
}
"""https://hl7.org/fhir/R4/valueset-item-type.html to the elements that answer it."""

CHOICES = ("choice", "open-choice")


OPTIONS = ("valueInteger", "valueDate", "valueTime", "valueString")
"""Elements of an option that are compared by their value, beside codings."""

FAULTS_MAX = 1000
"""Faults of one form that are told."""

Chosen: TypeAlias = tuple[str, str | None, str | int | None]
"""The element of a value, the system of a code, the code or the value."""


class Bound(NamedTuple):
    """A coded answer that is to be looked for in a value set."""

    place: Place
    value_set: str
    value: Mapping[str, Any]


class Compared(NamedTuple):
    """What is wrong, and what only terminology can tell."""

    faults: tuple[Fault, ...]
    bound: tuple[Bound, ...]


def compare(form: Mapping[str, Any], questionnaire: Resource) -> Compared:
    """Compare a form of right shape with its definition."""
    answers = form.get("answers", ())
    given: dict[str, list[Any]] = {}
    for _, answer in walk(answers, ("answers",)):
        given.setdefault(answer["link"], []).extend(answer.get("values", ()))
    level = _level(answers, questionnaire.get("item", ()), ("answers",), given)
    found = list(islice(level, FAULTS_MAX))
    return Compared(
        tuple(one for one in found if not isinstance(one, Bound)),
        tuple(one for one in found if isinstance(one, Bound)),
    )


def _level(
    answers: Sequence[Mapping[str, Any]], items: Sequence[Resource], place: Place, given: Given
) -> Iterator[Fault | Bound]:
    """Compare the answers that stand beside each other with the items that may stand there."""
    known = {item["linkId"]: item for item in items}
    held: dict[str, int] = {}
    for index, answer in enumerate(answers):
        here = (*place, index)
        item = known.get(answer["link"])
        if item is None:
            yield "form.link-unknown", (*here, "link"), {}
            continue
        held[answer["link"]] = held.get(answer["link"], 0) + 1
        if held[answer["link"]] > 1 and not item.get("repeats", False):
            yield "form.answered-twice", here, {}
        yield from _values(answer.get("values", ()), item, here)
        yield from _level(answer.get("items", ()), item.get("item", ()), (*here, "items"), given)
        if not _is_answered(answer, item) and _is_required(item, given):
            yield "form.answer-missing", here, {"link": item["linkId"]}
    for item in items:
        if item["linkId"] not in held and _is_required(item, given):
            yield "form.answer-missing", place, {"link": item["linkId"]}


def _is_required(item: Resource, given: Given) -> bool:
    stated = item.get("required", False) and item.get("type") != "display"
    return bool(stated) and is_enabled(item, given)


def _is_answered(answer: Mapping[str, Any], item: Resource) -> bool:
    return bool(answer.get("values")) or item.get("type") in NO_ANSWER


def _values(values: Sequence[Any], item: Resource, place: Place) -> Iterator[Fault | Bound]:
    type_ = str(item.get("type"))
    if type_ in NO_ANSWER:
        if values:
            yield "form.no-question", (*place, "values"), {"type": type_}
        return
    if len(values) > 1 and not item.get("repeats", False):
        yield "form.answered-twice", (*place, "values", 1), {}
    stated = item.get("answerOption", ()) if type_ in CHOICES else ()
    options = frozenset(map(_option, stated))
    for index, value in enumerate(values):
        here = (*place, "values", index)
        free = type_ == "open-choice" and isinstance(value, str)
        if not options or free:
            yield from _value(value, item, here)
        elif _chosen(value) not in options:
            yield "form.not-an-option", here, {}


def _value(value: Any, item: Resource, place: Place) -> Iterator[Fault | Bound]:
    type_, element = str(item.get("type")), element_of(value)
    if element not in ANSWERED_BY.get(type_, (element,)):
        yield "form.answer-type", place, {"type": type_}
        return
    longest = item.get("maxLength")
    if isinstance(value, str) and longest is not None and len(value) > longest:
        yield "form.answer-too-long", place, {"limit": longest}
    if element == "valueCoding" and "answerValueSet" in item:
        yield Bound(place, str(item["answerValueSet"]), value)


def _option(option: Mapping[str, Any]) -> Chosen:
    """Give what tells the ``value[x]`` of an option from others."""
    name = next((each for each in option if each.startswith("value")), "")
    value = option.get(name)
    if isinstance(value, Mapping):
        return name, value.get("system"), value.get("code")
    return name, None, value if isinstance(value, str | int) else None


def _chosen(value: Any) -> Chosen:
    """Give what tells a native value from others; of a reference, that it is one."""
    name, plain = element_of(value), bare(value)
    if name == "valueCoding":
        return name, plain["system"], plain["code"]
    return name, None, plain if name in OPTIONS else None
