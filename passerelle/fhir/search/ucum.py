"""Quantities in canonical units, so that 5.4 mg and 0.0054 g find each other.

https://hl7.org/fhir/R4/search.html#quantity and https://ucum.org/ucum . Of UCUM this knows the
units of clinical practice below with their metric prefixes, products, quotients, powers and
annotations; mole stands for itself, as do units that only their own substance explains
(``[iU]``, ``[pH]``, ``[CFU]`` …). Factors are exact fractions, so that equal amounts are equal
numbers. A unit that is not known has no canonical form and is compared as it is written.
"""

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

SYSTEM = "http://unitsofmeasure.org"
CANONICAL = "ucum:canonical"
"""The system of the index rows in canonical units, apart from those as written."""

CODE_MAX = 60
EXPONENT_MAX = 12
MAGNITUDE_MAX = 300
"""Beyond ten to this, an amount is not converted."""


class Canonical(NamedTuple):
    """An interval in a canonical unit."""

    code: str
    low: float
    high: float


class _Unit(NamedTuple):
    """A factor and the powers of base units; ``shift`` is added before (degrees Celsius)."""

    factor: Fraction
    powers: tuple[tuple[str, int], ...]
    shift: Fraction = Fraction(0)


_PREFIXES = {
    **{"Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1},
    **{"d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21},
    "y": -24,
}
_BASES = ("m", "s", "g", "K", "rad", "C", "cd", "mol")
_METRIC: dict[str, str] = {
    # unit: what it is worth, in units before it
    **{base: "" for base in _BASES},
    **{"[iU]": "", "[arb'U]": "", "[USP'U]": "", "[CFU]": "", "[PFU]": ""},
    **{"[IU]": "1 [iU]", "eq": "1 mol", "osm": "1 mol", "sr": "1 rad2"},
    **{"L": "0.001 m3", "l": "0.001 m3", "t": "1000000 g", "u": "1.66053906660e-24 g"},
    **{"Hz": "1 s-1", "Bq": "1 s-1", "N": "1000 g.m.s-2", "Pa": "1 N.m-2", "J": "1 N.m"},
    **{"W": "1 J.s-1", "A": "1 C.s-1", "V": "1 J.C-1", "Ohm": "1 V.A-1", "S": "1 A.V-1"},
    **{"F": "1 C.V-1", "Wb": "1 V.s", "T": "1 Wb.m-2", "lm": "1 cd.sr", "lx": "1 lm.m-2"},
    **{"Gy": "1 J.kg-1", "Sv": "1 J.kg-1", "RAD": "0.01 Gy", "REM": "0.01 Sv"},
    **{"Ci": "37000000000 Bq", "kat": "1 mol.s-1", "U": "1 umol.min-1", "bar": "100000 Pa"},
    **{"m[Hg]": "133322 Pa", "m[H2O]": "9806.65 Pa", "cal": "4.184 J", "st": "1 m3"},
    **{"P": "0.1 Pa.s", "dyn": "0.00001 N", "erg": "0.0000001 J", "eV": "1.602176634e-19 J"},
    **{"cal_th": "4.184 J", "G": "0.0001 T"},
}
_PLAIN: dict[str, str] = {
    **{"[pH]": "", "[beth'U]": "", "[anti'Xa'U]": ""},
    **{"min": "60 s", "h": "60 min", "d": "24 h", "wk": "7 d", "a": "365.25 d"},
    **{"mo": "30.4375 d", "%": "0.01", "[ppth]": "0.001", "[ppm]": "0.000001"},
    **{"[ppb]": "0.000000001", "[in_i]": "2.54 cm", "[ft_i]": "12 [in_i]", "[yd_i]": "3 [ft_i]"},
    **{"[mi_i]": "5280 [ft_i]", "[lb_av]": "453.59237 g", "[oz_av]": "28.349523125 g"},
    **{"[gr]": "0.06479891 g", "[stone_av]": "14 [lb_av]", "[foz_us]": "29.5735295625 mL"},
    **{"[pt_us]": "473.176473 mL", "[cup_us]": "236.5882365 mL", "[tbs_us]": "14.78676478125 mL"},
    **{"[tsp_us]": "4.92892159375 mL", "[gal_us]": "3785.411784 mL", "[drp]": "0.05 mL"},
    **{"[Cal]": "4184 J", "[psi]": "6894.757293168 Pa", "atm": "101325 Pa", "[Ch]": "0.0001 m"},
    **{"[diop]": "1 m-1", "10*": "10", "10^": "10"},
}
_SHIFTED = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67")),
}
_TERM = re.compile(
    r"(?P<number>[0-9]+(?![0-9*^]))"
    r"|(?P<unit>10[*^]|(?:[a-zA-Z%]|\[[^\]\s]+\])(?:[a-zA-Z_]|\[[^\]\s]+\])*)?"
    r"(?P<power>[+-]?[0-9]+)?(?P<note>\{[^{}]*\})?"
)


def canonical(code: str, low: Decimal, high: Decimal) -> Canonical | None:
    """Give an interval of a UCUM unit in its canonical unit; None when the unit is not known."""
    unit = _unit_of(code)
    if unit is None or max(_magnitude(low), _magnitude(high)) > MAGNITUDE_MAX:
        return None
    factor, shift = unit.factor, unit.shift
    try:
        ends = (float((Fraction(end) + shift) * factor) for end in (low, high))
        return Canonical(_spelled(unit.powers), *ends)
    except OverflowError:
        return None


def _magnitude(value: Decimal) -> int:
    """Tell how far the digits of a number reach from its point."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return MAGNITUDE_MAX + 1
    return abs(exponent) + len(digits)


@lru_cache(1_024)
def _unit_of(code: str) -> _Unit | None:
    """Read a unit; None when it is not one of UCUM that is known."""
    if not code or len(code) > CODE_MAX:
        return None
    if code in _SHIFTED:
        factor, shift = _SHIFTED[code]
        return _Unit(factor, (("K", 1),), shift)
    try:
        factor, powers = _product(code)
    except (ValueError, KeyError, ArithmeticError):  # ``/0`` is no unit either
        return None
    return _Unit(factor, tuple(sorted((base, n) for base, n in powers.items() if n)))


@lru_cache(256)
def _spelled(powers: tuple[tuple[str, int], ...]) -> str:
    """Spell a product of base units."""
    return ".".join(base + (str(n) if n != 1 else "") for base, n in powers) or "1"


def _product(text: str) -> tuple[Fraction, dict[str, int]]:
    """Read a product of terms; raises ValueError for another text."""
    factor, powers = Fraction(1), dict[str, int]()
    sign, place = 1, 0
    if text.startswith("/"):
        sign, place = -1, 1
    while place <= len(text):
        match = _TERM.match(text, place)
        if match is None or match.end() == place:
            raise ValueError("not a unit")
        worth, dimensions = _term(match)
        factor *= worth**sign
        for base, power in dimensions.items():
            powers[base] = powers.get(base, 0) + sign * power
        place = match.end()
        if place == len(text):
            return factor, powers
        if text[place] not in "./":
            raise ValueError("not a unit")
        sign = 1 if text[place] == "." else -1
        place += 1
    raise ValueError("not a unit")


def _term(match: re.Match[str]) -> tuple[Fraction, dict[str, int]]:
    """Read a number, or a unit with its power; an annotation alone is one."""
    if match["number"]:
        return Fraction(int(match["number"])), {}
    if not match["unit"]:
        if match["power"] or not match["note"]:
            raise ValueError("not a unit")
        return Fraction(1), {}
    power = int(match["power"] or 1)
    if abs(power) > EXPONENT_MAX and match["unit"] not in ("10*", "10^"):
        raise ValueError("not a unit")
    if abs(power) > MAGNITUDE_MAX:
        raise ValueError("not a unit")
    worth, dimensions = _atom(match["unit"])
    return worth**power, {base: n * power for base, n in dimensions.items()}


@lru_cache(1_024)
def _atom(name: str) -> tuple[Fraction, dict[str, int]]:
    """Give a unit with or without its prefix; raises KeyError for one that is not known."""
    if name in _PLAIN:
        return _worth(name, _PLAIN[name])
    if name in _METRIC:
        return _worth(name, _METRIC[name])
    for length in (1, 2):
        prefix, unit = name[:length], name[length:]
        if prefix in _PREFIXES and unit in _METRIC:
            worth, dimensions = _worth(unit, _METRIC[unit])
            return worth * Fraction(10) ** _PREFIXES[prefix], dimensions
    raise KeyError(name)


def _worth(name: str, definition: str) -> tuple[Fraction, dict[str, int]]:
    """Read what a unit is worth; one that is worth nothing else is its own base."""
    if not definition:
        return Fraction(1), {name: 1}
    number, _, product = definition.partition(" ")
    factor, powers = _product(product) if product else (Fraction(1), {})
    return Fraction(number) * factor, powers
