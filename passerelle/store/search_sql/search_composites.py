"""How composites and places become SQL.

https://hl7.org/fhir/R4/search.html#composite : each part is written by the face of its own kind, on
the columns that hold it. https://hl7.org/fhir/R4/location.html#positional : a box narrows by the
index, the distance on the sphere (haversine) decides.
"""

from collections.abc import Hashable
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Float, Text, and_, func, literal_column, or_

from passerelle.fhir.search.language.near import EARTH_METRES, box
from passerelle.fhir.search.query_values import CompositeValue, NearValue
from passerelle.store.search_sql.search_values import (
    DATE,
    NUMBER,
    QUANTITY,
    STRING,
    TOKEN,
    Arguments,
    Bind,
    Face,
    Source,
)

_TEXT, _FLOAT = Text(), Float()

_PARTS: dict[str, Face] = {
    "token": TOKEN,
    "reference": TOKEN,
    "string": STRING,
    "date": DATE,
    "number": NUMBER,
    "quantity": QUANTITY,
}
"""By kind of component; a reference is one text, ``Type/id``."""

_PLACES: tuple[dict[str, str], ...] = (
    {"value": "head", "system": "head_system", "norm": "head"},
    {
        "value": "tail",
        "norm": "tail",
        "system": "tail_system",
        "code": "tail",
        "low": "low",
        "high": "high",
    },
    {"low": "low2", "high": "high2"},
)
"""By component: the columns that hold what its kind calls so."""


def _part(table: Source, number: int) -> Source:
    """Give the look of one component at a row, with the names of its kind."""
    return SimpleNamespace(
        c=SimpleNamespace(**{name: table.c[held] for name, held in _PLACES[number].items()})
    )


def _composite_shape(value: CompositeValue, modifier: str) -> Hashable:
    return tuple((kind, _PARTS[kind].shape(part, "")) for kind, part in value.parts)


def _composite_arguments(value: CompositeValue, modifier: str) -> Arguments:
    return tuple(
        argument for kind, part in value.parts for argument in _PARTS[kind].arguments(part, "")
    )


def _composite_condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write what is asked of each component, in their order."""
    written: list[ColumnElement[bool]] = []
    for number, (kind, shaped) in enumerate(shape):
        face, part = _PARTS[kind], _part(table, number)
        if face.key is not None:
            written += [column == bind(_TEXT) for column in face.key(part, shaped)]
        else:
            assert face.condition is not None
            written.append(face.condition(part, shaped, "", bind, dialect))
    return and_(*written)


def _near_shape(value: NearValue, modifier: str) -> Hashable:
    found = box(value)
    return found.west > found.east


def _near_arguments(value: NearValue, modifier: str) -> Arguments:
    return (*box(value), value.latitude, value.latitude, value.longitude, value.metres)


def _near_condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write that a place lies in the box and near enough; ``shape``: past the 180th meridian."""
    latitude, longitude = table.c.latitude, table.c.longitude
    south, north, west, east = (bind(_FLOAT) for _ in range(4))
    here, again, there, metres = (bind(_FLOAT) for _ in range(4))
    between = or_ if shape else and_
    half = literal_column("0.5", _FLOAT)
    up = func.sin(func.radians(latitude - here) * half)
    across = func.sin(func.radians(longitude - there) * half)
    chord = up * up + func.cos(func.radians(again)) * func.cos(func.radians(latitude)) * (
        across * across
    )
    one = literal_column("1.0", _FLOAT)
    # Rounding may bring the square of the chord a little past one.
    least = func.min(one, chord) if dialect == "sqlite" else func.least(one, chord)
    around = literal_column(repr(2 * EARTH_METRES), _FLOAT)
    return and_(
        latitude >= south,
        latitude <= north,
        between(longitude >= west, longitude <= east),
        around * func.asin(func.sqrt(least)) <= metres,
    )


COMPOSITE = Face(
    "composite", _composite_shape, _composite_arguments, condition=_composite_condition
)
NEAR = Face("position", _near_shape, _near_arguments, condition=_near_condition)
