"""How the values of a criterion become SQL, one kind of parameter at a time.

https://hl7.org/fhir/R4/search.html#ptypes . A value has three faces: its *shape*, which the text of
the SQL depends on; its *arguments*, which it does not; and the *condition*, written from the shape
alone, which takes the arguments in their order.
"""

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Float, Text, and_, func
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from passerelle.fhir.search.query_values import (
    DateValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from passerelle.fhir.search.search_parameters import Parameter
from passerelle.store.search_sql.search_intervals import COMPARISONS, POINTS, ends_of

Arguments: TypeAlias = tuple[Any, ...]
Columns: TypeAlias = tuple[ColumnElement[Any], ...]
Bind: TypeAlias = Callable[[TypeEngine[Any]], ColumnElement[Any]]
"""Gives the place of the next argument, of that SQL type."""

_TEXT, _BIG, _FLOAT = Text(), BigInteger(), Float()
_LAST = chr(0x10FFFF)


class Face(NamedTuple):
    """The functions of a kind of value; ``modifier`` is that of the clause.

    A value that is equal or not has a ``key``, the columns that its arguments are compared with;
    any other has a ``condition``.
    """

    shape: Callable[[Any, str], Hashable]
    arguments: Callable[[Any, str], Arguments]
    key: Callable[[FromClause, Any], Columns] | None = None
    condition: Callable[[FromClause, Any, str, Bind, str], ColumnElement[bool]] | None = None


def after_prefix(prefix: str) -> str:
    """Give the least text that is greater than all that begin so, in the order of code points."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return _LAST * (len(prefix) + 1)
    code = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if 0xD800 <= code < 0xE000 else code)


def _token_shape(value: TokenValue, modifier: str) -> Hashable:
    return value.system is not None, value.code is not None


def _token_arguments(value: TokenValue, modifier: str) -> Arguments:
    return tuple(part for part in (value.code, value.system) if part is not None)


def _token_key(table: FromClause, shape: Any) -> Columns:
    with_system, with_code = shape
    code = (table.c.value,) if with_code else ()
    return (*code, table.c.system) if with_system else code


def _string_arguments(value: StringValue, modifier: str) -> Arguments:
    if modifier == "exact":
        return value.norm, value.exact
    if modifier == "contains":
        return (value.norm,)
    return value.norm, after_prefix(value.norm)


def _string_condition(
    table: FromClause, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    norm = table.c.norm
    if modifier == "exact":
        return and_(norm == bind(_TEXT), table.c.exact == bind(_TEXT))
    if modifier == "contains":
        place = func.instr if dialect == "sqlite" else func.strpos
        return place(norm, bind(_TEXT)) > 0
    return and_(norm >= bind(_TEXT), norm < bind(_TEXT))


def _reference_shape(value: ReferenceValue, modifier: str) -> Hashable:
    return value.type is not None


def _reference_arguments(value: ReferenceValue, modifier: str) -> Arguments:
    return (value.id,) if value.type is None else (value.type, value.id)


def _reference_key(table: FromClause, shape: Any) -> Columns:
    return (table.c.type, table.c.id) if shape else (table.c.id,)


def _prefix_shape(value: DateValue | NumberValue, modifier: str) -> Hashable:
    return value.prefix


def _date_arguments(value: DateValue, modifier: str) -> Arguments:
    return ends_of(COMPARISONS[value.prefix], value.low, value.high)


def _date_condition(
    table: FromClause, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    return COMPARISONS[shape].write(table.c.low, table.c.high, lambda: bind(_BIG))


def _instant_arguments(value: DateValue, modifier: str) -> Arguments:
    return ends_of(POINTS[value.prefix], value.low, value.high)


def _instant_condition(
    table: FromClause, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    return POINTS[shape].write(table.c.updated, table.c.updated, lambda: bind(_BIG))


def _id_key(table: FromClause, shape: Any) -> Columns:
    return (table.c.id,)


def _number_arguments(value: NumberValue | QuantityValue, modifier: str) -> Arguments:
    """Only ``eq``, ``ne`` and ``ap`` look at the precision of a number."""
    comparison = COMPARISONS[value.prefix]
    if value.prefix in ("eq", "ne", "ap"):
        return ends_of(comparison, float(value.low), float(value.high))
    return ends_of(comparison, float(value.value), float(value.value))


def _number_condition(
    table: FromClause, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    return COMPARISONS[shape].write(table.c.low, table.c.high, lambda: bind(_FLOAT))


def _quantity_shape(value: QuantityValue, modifier: str) -> Hashable:
    return value.prefix, value.system is not None, value.code is not None


def _quantity_arguments(value: QuantityValue, modifier: str) -> Arguments:
    unit = tuple(part for part in (value.system, value.code) if part is not None)
    return (*unit, *_number_arguments(value, modifier))


def _quantity_condition(
    table: FromClause, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    prefix, with_system, with_code = shape
    parts: list[ColumnElement[bool]] = []
    if with_system:
        parts.append(table.c.system == bind(_TEXT))
    if with_code:
        parts.append(table.c.code == bind(_TEXT))
    comparison = COMPARISONS[prefix]
    parts.append(comparison.write(table.c.low, table.c.high, lambda: bind(_FLOAT)))
    return and_(*parts)


def _uri_key(table: FromClause, shape: Any) -> Columns:
    return (table.c.value,)


def _uri_arguments(value: UriValue, modifier: str) -> Arguments:
    return (value.value,)


def _one_shape(value: object, modifier: str) -> Hashable:
    return 0


FACES: dict[str, Face] = {
    "token": Face(_token_shape, _token_arguments, _token_key),
    "string": Face(_one_shape, _string_arguments, condition=_string_condition),
    "reference": Face(_reference_shape, _reference_arguments, _reference_key),
    "date": Face(_prefix_shape, _date_arguments, condition=_date_condition),
    "number": Face(_prefix_shape, _number_arguments, condition=_number_condition),
    "quantity": Face(_quantity_shape, _quantity_arguments, condition=_quantity_condition),
    "uri": Face(_one_shape, _uri_arguments, _uri_key),
}
"""By kind of parameter."""

OF_THE_ROW: dict[str, Face] = {
    "_id": Face(_one_shape, _token_arguments, _id_key),
    "_lastUpdated": Face(_prefix_shape, _instant_arguments, condition=_instant_condition),
}
"""By code: what the row of the resource itself answers, which has no index rows."""


def face_of(parameter: Parameter) -> Face:
    """Give the face of a parameter's values."""
    return OF_THE_ROW.get(parameter.code) or FACES[parameter.kind]
