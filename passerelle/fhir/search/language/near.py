"""Near a place: ``latitude|longitude|distance|units`` of Location.near.

https://hl7.org/fhir/R4/location.html#positional . The distance is the one on a sphere of the mean
radius of the earth; kilometres where no unit is named.
"""

import re
from math import asin, cos, degrees, pi, radians, sin
from typing import NamedTuple

from passerelle.fhir.search.query_values import BadValue, NearValue, split, unescape

EARTH_METRES = 6_371_008.8
"""Mean radius (IUGG)."""

DISTANCE_DEFAULT = 10_000.0
"""Metres, where none is asked for: each server has its own."""

_METRES = {
    "": 1_000.0,
    "km": 1_000.0,
    "m": 1.0,
    "cm": 0.01,
    "[mi_i]": 1_609.344,
    "mi": 1_609.344,
    "mi_us": 1_609.347,
    "[mi_us]": 1_609.347,
    "[nmi_i]": 1_852.0,
    "[ft_i]": 0.3048,
    "[yd_i]": 0.9144,
}
"""By unit (UCUM; ``mi`` and ``mi_us`` as people write them)."""

_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,12})?")
_DISTANCE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class Box(NamedTuple):
    """What is near enough lies in it; past the 180th meridian ``west`` is more than ``east``."""

    south: float
    north: float
    west: float
    east: float


def _degrees(text: str, most: float) -> float:
    if not _DEGREES.fullmatch(text) or abs(found := float(text)) > most:
        raise BadValue
    return found


def near_value(text: str) -> NearValue:
    """Read a place and a distance; raises BadValue."""
    parts = [unescape(part) for part in split(text, "|")]
    if not 2 <= len(parts) <= 4:
        raise BadValue
    latitude, longitude = _degrees(parts[0], 90), _degrees(parts[1], 180)
    distance, unit = (*parts[2:], "", "")[:2]
    if unit not in _METRES or (unit and not distance):
        raise BadValue
    if not distance:
        return NearValue(latitude, longitude, DISTANCE_DEFAULT)
    if not _DISTANCE.fullmatch(distance):
        raise BadValue
    return NearValue(latitude, longitude, float(distance) * _METRES[unit])


def box(value: NearValue) -> Box:
    """Give the box around all that is near enough, a little larger so that rounding loses none."""
    angle = value.metres / EARTH_METRES * 1.0001 + 1e-9
    reach = degrees(angle)
    south, north = value.latitude - reach, value.latitude + reach
    if south <= -90 or north >= 90 or angle >= pi / 2:
        return Box(max(south, -90.0), min(north, 90.0), -180.0, 180.0)
    width = degrees(asin(min(1.0, sin(angle) / cos(radians(value.latitude)))))
    west, east = value.longitude - width, value.longitude + width
    if west < -180:
        west += 360
    if east > 180:
        east -= 360
    return Box(south, north, west, east)
