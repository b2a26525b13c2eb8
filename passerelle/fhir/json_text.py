"""JSON in and out, exactly: decimals as written, nothing twice, no character FHIR does not allow.

https://hl7.org/fhir/R4/json.html and https://hl7.org/fhir/R4/datatypes.html#decimal (precision and
the way a decimal is written are to be kept), https://www.rfc-editor.org/rfc/rfc8259.
"""

import json
import re
from decimal import Decimal
from typing import Any

import msgspec

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Resource

EXPONENT_MAX = 1000
"""Largest power of ten of a decimal, up or down: what is beyond would only exhaust its readers."""

DEPTH_MAX = 100
"""How deep objects and arrays may stand in one another: thrice what any resource needs."""

PARTS_MAX = 5_000_000
"""Values in one body: a large bundle has some three million; each takes a hundred bytes here."""

_MARKS = (b",", b"{", b"[")
_HOLDERS = frozenset({dict, list})
_MAYBE_CONTROL = re.compile(rb"\\(?:[bf]|u00[01])")
_CONTROL = re.compile(rb"(?<!\\)(?:\\\\)*\\(?:[bf]|u00(?:0[0-8bcef]|1[0-9a-f]))", re.IGNORECASE)
_SURROGATE = re.compile(rb"\\ud[89a-f][0-9a-f]{2}", re.IGNORECASE)
_UNDERSTOOD = (msgspec.DecodeError, msgspec.ValidationError, ArithmeticError, ValueError)


class Spelled(Decimal):
    """A decimal that ``str`` would write otherwise than its sender did: ``1e3``, ``0.0000001``."""

    __slots__ = ("spelling",)
    spelling: str


def _decimal(text: str) -> Decimal:
    """Read a number that has a fraction or an exponent; raises ArithmeticError out of bounds."""
    value = Decimal(text)
    if abs(value.adjusted()) > EXPONENT_MAX or len(text) > EXPONENT_MAX:
        raise ArithmeticError
    if str(value) == text:
        return value
    spelled = Spelled(text)
    spelled.spelling = text
    return spelled


def _raw(value: object) -> msgspec.Raw:
    """Write a spelled decimal as its sender did."""
    if isinstance(value, Spelled):
        return msgspec.Raw(value.spelling.encode())
    raise TypeError(f"{type(value).__name__} has no place in a resource")


_decoder = msgspec.json.Decoder(float_hook=_decimal)
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_raw)
_ordering = msgspec.json.Encoder(decimal_format="number", enc_hook=_raw, order="sorted")


def encode(value: object, *, ordered: bool = False) -> bytes:
    """Write decoded JSON as compact UTF-8, decimals as they were written.

    ``ordered`` writes the members of every object by their names. Raises TypeError for a value
    that JSON does not have; a fault of ours.
    """
    return (_ordering if ordered else _encoder).encode(value)


def decode(body: bytes) -> Resource:
    """Read one JSON object; decimals come out as ``Decimal``, never as float.

    Raises Invalid: not UTF-8, malformed, too deep, a name twice in one object at any depth, a
    character that FHIR does not allow in a string, a number beyond all use, not an object.
    """
    if len(body) > PARTS_MAX and sum(map(body.count, _MARKS)) > PARTS_MAX:
        raise Invalid(issue("json.too-many-parts", limit=PARTS_MAX))
    try:
        value = _decoder.decode(body)
    except RecursionError:
        raise Invalid(issue("json.too-deep")) from None
    except _UNDERSTOOD as fault:
        raise _refusal(body, fault) from None
    if not isinstance(value, dict):
        raise Invalid(issue("json.not-an-object"))
    if _is_too_deep(body, value):
        raise Invalid(issue("json.too-deep"))
    if _MAYBE_CONTROL.search(body) and _CONTROL.search(body):
        raise Invalid(issue("json.bad-character"))
    if _may_repeat_a_name(body, value):
        _refuse_repeated_names(body)
    return value


def decode_number(text: str) -> int | Decimal:
    """Read one number of JSON as ``decode`` would.

    Raises ArithmeticError or ValueError: no number, or beyond all use.
    """
    value = _decoder.decode(text)
    if type(value) is bool or not isinstance(value, int | Decimal):
        raise ValueError
    return value


def decode_stored(body: bytes) -> Resource:
    """Read a body as kept, which was looked through when it came in."""
    value: Resource = _decoder.decode(body)
    return value


def _is_too_deep(body: bytes, value: Resource) -> bool:
    """Tell whether objects and arrays stand deeper in one another than ``DEPTH_MAX``."""
    if body.count(b"{") + body.count(b"[") <= DEPTH_MAX:
        return False
    level: list[Any] = [value]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for holder in level
            for inner in (holder.values() if type(holder) is dict else holder)
            if type(inner) in _HOLDERS
        ]
        if not level:
            return False
    return True


def _may_repeat_a_name(body: bytes, value: Resource) -> bool:
    """Tell whether a member may have been lost in decoding.

    Each member has one colon; other colons stand in strings and come out as they came in, unless
    one is written as an escape. So without such an escape, fewer colons in what is written again
    than in the text mean that a member was lost, and as many mean that none was.
    """
    return b"\\u003" in body or body.count(b":") != encode(value).count(b":")


def _refuse_repeated_names(body: bytes) -> None:
    """Read the text again, slowly, and raise Invalid when an object has a name twice."""
    try:
        json.loads(body, object_pairs_hook=_once, parse_float=str, parse_int=str)
    except RecursionError:
        raise Invalid(issue("json.too-deep")) from None


def _once(members: list[tuple[str, Any]]) -> None:
    """Look at the members of one object; raises Invalid when a name stands there twice."""
    if len({name for name, _ in members}) != len(members):
        raise Invalid(issue("json.duplicate-key"))


def _refusal(body: bytes, fault: Exception) -> Invalid:
    """Say why a text could not be read."""
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return Invalid(issue("json.byte-order-mark"))
    try:
        body.decode()
    except UnicodeDecodeError:
        return Invalid(issue("json.not-utf8"))
    if isinstance(fault, ArithmeticError) or "out of range" in str(fault):
        return Invalid(issue("json.number-too-large"))
    if _SURROGATE.search(body):
        return Invalid(issue("json.bad-character"))
    return Invalid(issue("json.malformed"))
