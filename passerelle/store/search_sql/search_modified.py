"""How the values of a modified criterion become SQL.

https://hl7.org/fhir/R4/search.html#modifiers ; the modifiers that no address can spell are those
that the operators of `_filter` become (https://hl7.org/fhir/R4/search_filter.html#ops).
"""

import json
from collections.abc import Hashable
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Text,
    and_,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy import column as named

from passerelle.fhir.search.query_values import (
    CodesValue,
    DateValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from passerelle.store.search_sql.search_hierarchies import HIERARCHY, version_bounds
from passerelle.store.search_sql.search_intervals import COMPARISONS, ends_of
from passerelle.store.search_sql.search_values import (
    STRING,
    TOKEN,
    URI,
    Arguments,
    Bind,
    Columns,
    Face,
    Source,
    after_prefix,
    date_condition,
    one_shape,
    prefix_condition,
    reference_arguments,
    reference_key,
    token_arguments,
    token_key,
    token_shape,
)

_TEXT = Text()
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)
_LARGE = str.maketrans(ascii_lowercase, ascii_uppercase)
"""Both databases fold the case of these letters only, in codes as they are kept."""

_TEXTS = {"string": "norm", "token": "value", "uri": "value"}
"""By table: the column that texts are looked for in."""


def _text_of(value: Any) -> str:
    """Give the text that is looked for: a normal form, a code, an address."""
    if isinstance(value, StringValue):
        return value.norm
    return str(value.code if isinstance(value, TokenValue) else value.value)


def _text_arguments(value: Any, modifier: str) -> Arguments:
    text = _text_of(value)
    if isinstance(value, TokenValue):
        text = text.translate(_SMALL)
    return (text, after_prefix(text)) if modifier == "begins" else (text,)


def _text_face(table: str) -> Face:
    """Make the face of what is asked of a text column, in its order or within it."""
    name = _TEXTS[table]

    def condition(
        source: Source, shape: Any, modifier: str, bind: Bind, dialect: str
    ) -> ColumnElement[bool]:
        text = func.lower(source.c[name]) if table == "token" else source.c[name]
        return _text_condition(text, modifier, bind, dialect)

    return Face(table, one_shape, _text_arguments, condition=condition)


def _text_condition(
    text: ColumnElement[Any], modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    asked = bind(_TEXT)
    if modifier == "begins":
        return and_(text >= asked, text < bind(_TEXT))
    if modifier == "contains":
        place = func.instr if dialect == "sqlite" else func.strpos
        return place(text, asked) > 0
    if modifier == "ends":
        start = func.length(text) - func.length(asked) + literal_column("1")
        return and_(func.length(text) >= func.length(asked), func.substr(text, start) == asked)
    written: dict[str, ColumnElement[bool]] = {
        "same": text == asked,
        "other": text != asked,
        "greater": text > asked,
        "less": text < asked,
        "at-least": text >= asked,
        "at-most": text <= asked,
    }
    return written[modifier]


def _exact_arguments(value: StringValue, modifier: str) -> Arguments:
    return value.norm, value.exact


def _exact_key(table: Source, shape: Any) -> Columns:
    return table.c.norm, table.c.exact


def _other_token(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    return not_(and_(*(column == bind(_TEXT) for column in token_key(table, shape))))


def _versions(address: str) -> tuple[str, str, str]:
    """Give the bounds of the versions of a canonical, and the canonical without its version.

    Nothing is other than a canonical that may be the same in another spelling.
    """
    return address + "|", address + "}", address.split("|", 1)[0]


def _other_address(address: ColumnElement[Any], bind: Bind) -> ColumnElement[bool]:
    """Write that an address is neither a version of one nor that one without its version."""
    versions = and_(address >= bind(_TEXT), address < bind(_TEXT))
    return and_(not_(versions), address != bind(_TEXT))


def _other_uri_arguments(value: UriValue, modifier: str) -> Arguments:
    return value.value, *_versions(value.value)


def _other_uri(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    own = table.c.value
    return and_(own != bind(_TEXT), _other_address(own, bind))


def _other_reference_arguments(value: ReferenceValue, modifier: str) -> Arguments:
    versions = _versions(value.id) if value.type == "" else ()
    return (*reference_arguments(value, modifier), *versions)


def _alike_arguments(value: TokenValue, modifier: str) -> Arguments:
    code = value.code or ""
    ends = (code.translate(_LARGE), code.translate(_SMALL), code.translate(_SMALL))
    return ends if value.system is None else (*ends, value.system)


def _alike(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write that a code is the same whatever its case.

    Capitals come before small letters: all the ways to write it lie between these two, and the
    index serves what is between.
    """
    code = table.c.value
    found = and_(code >= bind(_TEXT), code <= bind(_TEXT), func.lower(code) == bind(_TEXT))
    return and_(found, table.c.system == bind(_TEXT)) if shape[0] else found


def _unlike_arguments(value: TokenValue, modifier: str) -> Arguments:
    return _alike_arguments(value, modifier)[2:]


def _unlike(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    other = func.lower(table.c.value) != bind(_TEXT)
    return or_(other, table.c.system != bind(_TEXT)) if shape[0] else other


def _other_reference(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    typed, is_address = shape
    other = not_(and_(*(column == bind(_TEXT) for column in reference_key(table, typed))))
    return and_(other, _other_address(table.c.id, bind)) if is_address else other


def _other_reference_shape(value: ReferenceValue, modifier: str) -> tuple[bool, bool]:
    return value.type is not None, value.type == ""


def _codes_arguments(value: CodesValue, modifier: str) -> Arguments:
    return (json.dumps(value.codes, ensure_ascii=False),)


def _codes_condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write that a token is one of a list, which comes as one argument whatever its length."""
    given = bind(_TEXT)
    if dialect == "sqlite":
        rows = func.json_each(given).table_valued(named("value", _TEXT))
    else:
        rows = func.json_array_elements(cast(given, JSON)).table_valued(named("value", JSON))
    pair = rows.c.value
    system = pair.op("->>", return_type=_TEXT)(literal_column("0"))
    code = pair.op("->>", return_type=_TEXT)(literal_column("1"))
    # An index is used for the single column only.
    return and_(
        table.c.value.in_(select(code)),
        (table.c.value + literal_column("'|'") + table.c.system).in_(
            select(code + literal_column("'|'") + system)
        ),
    )


def _below_shape(value: UriValue, modifier: str) -> Hashable:
    return "|" in value.value


def _below_arguments(value: UriValue, modifier: str) -> Arguments:
    if "|" in value.value:
        return version_bounds(value.value)
    stem = value.value.rstrip("/") or value.value
    return stem, stem + "/", stem + "0", stem + "|", stem + "}"


def _below_condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write that an address is the one asked for, a version of it, or lies under it."""
    value = table.c.value
    if shape:
        return or_(value == bind(_TEXT), and_(value >= bind(_TEXT), value < bind(_TEXT)))
    return or_(
        value == bind(_TEXT),
        and_(value >= bind(_TEXT), value < bind(_TEXT)),
        and_(value >= bind(_TEXT), value < bind(_TEXT)),
    )


_OF_FILTERS = {"covers": "co", "overlaps": "po"}
"""By modifier: how an interval stands to the one that is asked for."""


def _filter_arguments(value: DateValue, modifier: str) -> Arguments:
    return ends_of(COMPARISONS[_OF_FILTERS[modifier]], value.low, value.high)


def _filter_shape(value: DateValue, modifier: str) -> str:
    return _OF_FILTERS[modifier]


def _other_rows(shape: Any) -> bool:
    return True


_CODES = Face("token", one_shape, _codes_arguments, condition=_codes_condition)
_STRINGS = _text_face("string")
_CODES_TEXT = _text_face("token")
_ADDRESSES = _text_face("uri")

MODIFIED: dict[tuple[str, str], Face] = {
    ("string", "exact"): Face("string", one_shape, _exact_arguments, _exact_key),
    **{
        ("string", modifier): _STRINGS
        for modifier in (
            *("contains", "begins", "ends", "same", "other"),
            *("greater", "less", "at-least", "at-most"),
        )
    },
    ("token", "not"): TOKEN,
    ("token", "text"): STRING._replace(condition=prefix_condition),
    ("token", "of-type"): TOKEN._replace(other_rows=_other_rows),
    **{("token", modifier): _CODES for modifier in ("in", "not-in", "above", "below")},
    **{("token", modifier): _CODES_TEXT for modifier in ("contains", "begins", "ends")},
    ("token", "alike"): Face("token", token_shape, _alike_arguments, condition=_alike),
    ("token", "unlike"): Face("token", token_shape, _unlike_arguments, condition=_unlike),
    ("token", "other"): Face("token", token_shape, token_arguments, condition=_other_token),
    ("reference", "identifier"): TOKEN,
    ("reference", "other"): Face(
        "reference",
        _other_reference_shape,
        _other_reference_arguments,
        condition=_other_reference,
    ),
    **{("reference", modifier): HIERARCHY for modifier in ("above", "below")},
    ("uri", "above"): URI,
    ("uri", "below"): Face("uri", _below_shape, _below_arguments, condition=_below_condition),
    **{("uri", modifier): _ADDRESSES for modifier in ("contains", "begins", "ends")},
    ("uri", "other"): Face("uri", one_shape, _other_uri_arguments, condition=_other_uri),
    **{
        ("date", modifier): Face("date", _filter_shape, _filter_arguments, condition=date_condition)
        for modifier in _OF_FILTERS
    },
}
"""By kind of parameter and modifier."""
