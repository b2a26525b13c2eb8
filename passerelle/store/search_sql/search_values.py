"""How the values of a criterion become SQL, one kind of parameter at a time.

https://hl7.org/fhir/R4/search.html#ptypes . A value has three sides: its *shape*, which the text of
the SQL depends on; its *arguments*, which it does not; and the *condition*, written from the shape
alone, which takes the arguments in their order.
"""

from collections.abc import Callable, Hashable
from math import inf, nextafter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Float, Text, and_, literal_column
from sqlalchemy.types import TypeEngine

from passerelle.fhir.search import ucum
from passerelle.fhir.search.query_values import (
    DateValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from passerelle.store.search_sql.search_intervals import COMPARISONS, NUMBERS, POINTS, ends_of

Arguments: TypeAlias = tuple[Any, ...]
Columns: TypeAlias = tuple[ColumnElement[Any], ...]
Bind: TypeAlias = Callable[[TypeEngine[Any]], ColumnElement[Any]]
"""Gives the place of the next argument, of that SQL type."""

Source: TypeAlias = Any
"""What has columns under ``.c``: an index table, or a part of one."""

_TEXT, _BIG, _FLOAT = Text(), BigInteger(), Float()
_LAST = chr(0x10FFFF)


class Face(NamedTuple):
    """The functions of a kind of value; ``modifier`` is that of the clause.

    A value that is equal or not has a ``key``, the columns that its arguments are compared with;
    any other has a ``condition``. ``table`` holds its rows, under the id of the parameter, or under
    the negative of it where ``other_rows`` says so of the shape. ``surely`` writes what implies the
    condition and an index serves, to count by.
    """

    table: str
    shape: Callable[[Any, str], Hashable]
    arguments: Callable[[Any, str], Arguments]
    key: Callable[[Source, Any], Columns] | None = None
    condition: Callable[[Source, Any, str, Bind, str], ColumnElement[bool]] | None = None
    other_rows: Callable[[Any], bool] | None = None
    surely: Callable[[Source, Any, Bind], ColumnElement[bool]] | None = None


def after_prefix(prefix: str) -> str:
    """Give the least text that is greater than all that begin so, in the order of code points."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return _LAST * (len(prefix) + 1)
    code = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if 0xD800 <= code < 0xE000 else code)


def one_shape(value: object, modifier: str) -> Hashable:
    """Give the shape of values that all have the same."""
    return 0


def token_shape(value: TokenValue, modifier: str) -> Hashable:
    """Tell which parts of a token are asked for: (with system, with code)."""
    return value.system is not None, value.code is not None


def token_arguments(value: TokenValue, modifier: str) -> Arguments:
    """Give the parts of a token, code first."""
    return tuple(part for part in (value.code, value.system) if part is not None)


def token_key(table: Source, shape: Any) -> Columns:
    """Give the columns of a token, value first as in the key of its table."""
    with_system, with_code = shape
    code = (table.c.value,) if with_code else ()
    return (*code, table.c.system) if with_system else code


def _prefix_arguments(value: StringValue, modifier: str) -> Arguments:
    return value.norm, after_prefix(value.norm)


def prefix_condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write that a normal form begins so."""
    return and_(table.c.norm >= bind(_TEXT), table.c.norm < bind(_TEXT))


def _reference_shape(value: ReferenceValue, modifier: str) -> Hashable:
    return value.type is not None


def reference_arguments(value: ReferenceValue, modifier: str) -> Arguments:
    """Give the type and the id of a reference, or the id alone."""
    return (value.id,) if value.type is None else (value.type, value.id)


def reference_key(table: Source, shape: Any) -> Columns:
    """Give the columns of a reference."""
    return (table.c.type, table.c.id) if shape else (table.c.id,)


def prefix_shape(value: DateValue | NumberValue, modifier: str) -> Hashable:
    """Give the prefix of a value."""
    return value.prefix


def date_arguments(value: DateValue, modifier: str) -> Arguments:
    """Give the ends of an interval that its prefix looks at."""
    return ends_of(COMPARISONS[value.prefix], value.low, value.high)


def date_condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write how an interval of instants stands to the one that is asked for."""
    return COMPARISONS[shape].write(table.c.low, table.c.high, lambda: bind(_BIG))


def _surely_date(table: Source, shape: Any, bind: Bind) -> ColumnElement[bool]:
    found = COMPARISONS[shape]
    return (found.surely or found.write)(table.c.low, table.c.high, lambda: bind(_BIG))


def _surely_number(table: Source, shape: Any, bind: Bind) -> ColumnElement[bool]:
    found = NUMBERS[shape]
    return (found.surely or found.write)(table.c.low, table.c.high, lambda: bind(_FLOAT))


def _instant_arguments(value: DateValue, modifier: str) -> Arguments:
    return ends_of(POINTS[value.prefix], value.low, value.high)


def _instant_condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    return POINTS[shape].write(table.c.updated, table.c.updated, lambda: bind(_BIG))


def _id_key(table: Source, shape: Any) -> Columns:
    return (table.c.id,)


def number_arguments(value: NumberValue | QuantityValue, modifier: str) -> Arguments:
    """Only ``eq``, ``ne`` and ``ap`` look at the precision of a number."""
    comparison = NUMBERS[value.prefix]
    point = float(value.value)
    if value.prefix in ("eq", "ne", "ap"):
        # A number of seventeen digits stands for less than the databases' numbers tell apart.
        high = max(float(value.high), nextafter(point, inf))
        return ends_of(comparison, min(float(value.low), point), high)
    return ends_of(comparison, point, point)


def number_condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write how the interval of a number stands to the one that is asked for."""
    return NUMBERS[shape].write(table.c.low, table.c.high, lambda: bind(_FLOAT))


def quantity_shape(value: QuantityValue, modifier: str) -> Hashable:
    """Give the prefix of a quantity, and which parts of its unit are asked for."""
    return value.prefix, value.system is not None, value.code is not None


def as_written(system: ColumnElement[Any]) -> ColumnElement[bool]:
    """Write that a row holds a quantity as it was written, not in its canonical unit."""
    return system != literal_column(f"'{ucum.CANONICAL}'", _TEXT)


def quantity_arguments(value: QuantityValue, modifier: str) -> Arguments:
    """Give the parts of the unit, then the ends of the interval."""
    unit = tuple(part for part in (value.system, value.code) if part is not None)
    return (*unit, *number_arguments(value, modifier))


def quantity_condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write the unit of a quantity and how its interval stands to the one that is asked for."""
    prefix, with_system, with_code = shape
    parts: list[ColumnElement[bool]] = []
    if not with_system:
        # Without a unit what was written is compared, not what it was brought to.
        parts.append(as_written(table.c.system))
    if with_system:
        parts.append(table.c.system == bind(_TEXT))
    if with_code:
        parts.append(table.c.code == bind(_TEXT))
    comparison = NUMBERS[prefix]
    parts.append(comparison.write(table.c.low, table.c.high, lambda: bind(_FLOAT)))
    return and_(*parts)


def _uri_key(table: Source, shape: Any) -> Columns:
    return (table.c.value,)


def _uri_arguments(value: UriValue, modifier: str) -> Arguments:
    return (value.value,)


TOKEN = Face("token", token_shape, token_arguments, token_key)
STRING = Face("string", one_shape, _prefix_arguments, condition=prefix_condition)
REFERENCE = Face("reference", _reference_shape, reference_arguments, reference_key)
DATE = Face("date", prefix_shape, date_arguments, condition=date_condition, surely=_surely_date)
NUMBER = Face(
    "number", prefix_shape, number_arguments, condition=number_condition, surely=_surely_number
)
QUANTITY = Face("quantity", quantity_shape, quantity_arguments, condition=quantity_condition)
URI = Face("uri", one_shape, _uri_arguments, _uri_key)

OF_THE_ROW: dict[str, Face] = {
    "_id": Face("resource", one_shape, token_arguments, _id_key),
    "_lastUpdated": Face(
        "resource", prefix_shape, _instant_arguments, condition=_instant_condition
    ),
}
"""By code: what the row of the resource itself answers, which has no index rows."""
