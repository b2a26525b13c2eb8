"""The answers of a form to and from the items of a QuestionnaireResponse.

https://hl7.org/fhir/R4/questionnaireresponse.html . A JSON value means what it is: a text is a
string, whole numbers are integers, others decimals. What JSON has no type for is an object that
says which it is: nothing is guessed from how a text looks. ``VALUES`` is the table of them.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import Element, filled, pick

INTEGER_MAX = 2**31 - 1
"""https://hl7.org/fhir/R4/datatypes.html#integer : 32 bits; a whole number beyond is a decimal."""


class Typed(NamedTuple):
    """A kind of value: the member that tells it in the native form, and its ``value[x]``."""

    member: str
    element: str
    fields: tuple[str, ...] = ()


VALUES = (
    Typed("date", "valueDate"),
    Typed("dateTime", "valueDateTime"),
    Typed("time", "valueTime"),
    Typed("uri", "valueUri"),
    Typed("decimal", "valueDecimal"),
    Typed("value", "valueQuantity", ("value", "comparator", "unit", "system", "code")),
    Typed("code", "valueCoding", ("system", "code", "display")),
    Typed("entry", "valueReference"),
)
"""Objects of the native form by the member that tells them apart: first found wins.

``fields``: those of an object that is the same on both sides; otherwise the member is the value.
"""


def kind_of(value: Mapping[str, Any]) -> Typed:
    """Give the kind that an object of right shape says it is."""
    return next(kind for kind in VALUES if kind.member in value)


def element_of(value: Any) -> str:
    """Give the name of the ``value[x]`` that a native value of right shape becomes."""
    if isinstance(value, bool):
        return "valueBoolean"
    if isinstance(value, str):
        return "valueString"
    if isinstance(value, int | Decimal):
        is_integer = isinstance(value, int) and -INTEGER_MAX - 1 <= value <= INTEGER_MAX
        return "valueInteger" if is_integer else "valueDecimal"
    return kind_of(value).element


def items(answers: Sequence[Mapping[str, Any]], entries: Entries) -> list[Element]:
    """Make the items of answers."""
    return [_item(answer, entries) for answer in answers]


def native_answers(found: Sequence[Mapping[str, Any]], reading: Reading) -> list[Element]:
    """Read answers from items. Raises Unprocessable for a value that the native form has not."""
    return [_native_answer(item, reading) for item in found]


def _item(answer: Mapping[str, Any], entries: Entries) -> Element:
    """Make an item. What stands below an answered question hangs on its first answer: qrs-1
    forbids items beside answers."""
    below = items(answer.get("items", ()), entries)
    held: list[Element] = [_value(value, entries) for value in answer.get("values", ())]
    if held and below:
        held[0] = {**held[0], "item": below}
    return filled(
        {
            "linkId": answer["link"],
            "text": answer.get("text"),
            "answer": held,
            "item": None if held else below,
        }
    )


def _native_answer(item: Mapping[str, Any], reading: Reading) -> Element:
    answers = item.get("answer", ())
    below = [*item.get("item", ()), *(one for each in answers for one in each.get("item", ()))]
    return filled(
        {
            "link": item.get("linkId"),
            "text": item.get("text"),
            "values": [_native_value(one, reading) for one in answers if _has_value(one)],
            "items": native_answers(below, reading),
        }
    )


def _value(value: Any, entries: Entries) -> Element:
    """Make the ``value[x]`` of a native value of right shape."""
    if not isinstance(value, dict):
        return {element_of(value): value}
    kind = kind_of(value)
    if kind.member == "entry":
        return {kind.element: entries.about(value["entry"])}
    return {kind.element: pick(value, *kind.fields) if kind.fields else value[kind.member]}


def _native_value(answer: Mapping[str, Any], reading: Reading) -> Any:
    name, value = next((n, v) for n, v in answer.items() if n.startswith("value"))
    read = _BARE.get(name)
    if read is not None:
        return read(value)
    for kind in VALUES:
        if kind.element != name:
            continue
        if kind.fields:
            return pick(value, *kind.fields)
        said = reading.any_entry(value) if kind.member == "entry" else value
        if said is not None:
            return {kind.member: said}
    raise Unprocessable(issue("dossier.record-incomplete", "QuestionnaireResponse.item.answer"))


def _same(value: Any) -> Any:
    return value


def _native_decimal(value: Any) -> Any:
    """Read a decimal: one that a bare number would make an integer is told as a decimal."""
    whole = value == int(value)
    return {"decimal": int(value)} if whole and abs(value) <= INTEGER_MAX else value


_BARE: Mapping[str, Callable[[Any], Any]] = {
    "valueBoolean": _same,
    "valueInteger": _same,
    "valueString": _same,
    "valueDecimal": _native_decimal,
}
"""Elements that are read as bare JSON, the decimal as it may be."""


def _has_value(answer: Mapping[str, Any]) -> bool:
    return any(name.startswith("value") for name in answer)
