"""One criterion of a search: a parameter, its modifier, its values, its chain.

https://hl7.org/fhir/R4/search.html#modifiers , https://hl7.org/fhir/R4/search.html#chaining
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.references import is_id
from passerelle.fhir.search.query_values import (
    READERS,
    BadValue,
    ReferenceValue,
    TokenValue,
    Value,
    missing_value,
    reference_value,
    split,
    token_value,
)
from passerelle.fhir.search.search_parameters import (
    ANY,
    TYPES_WITH_PARAMETERS,
    Parameter,
    parameters,
)

CHAIN_MAX = 3
"""Links of a chain; ``participant:PractitionerRole.practitioner.identifier`` has two."""

VALUES_MAX = 200
"""Alternatives of a criterion that compares keys: codes, references, addresses."""

RANGES_MAX = 50
"""Alternatives of a criterion that looks through ranges: strings, dates, numbers."""

_KEYED = frozenset({"token", "reference", "uri"})

VALUE_LENGTH_MAX = 2000
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Controls and lone surrogates: in no name and no code, and not always storable."""

MODIFIERS: dict[str, frozenset[str]] = {
    "token": frozenset({"", "not", "missing"}),
    "string": frozenset({"", "exact", "contains", "missing"}),
    "reference": frozenset({"", "missing"}),
    "date": frozenset({"", "missing"}),
    "number": frozenset({"", "missing"}),
    "quantity": frozenset({"", "missing"}),
    "uri": frozenset({"", "missing"}),
}
"""By kind of parameter; a reference takes the name of a type besides."""

_OF_THE_ROW = frozenset({"_id", "_lastUpdated"})
"""Never missing, so that they take no modifier."""


@dataclass(frozen=True, slots=True)
class Clause:
    """``name=text`` understood. The values are alternatives; clauses are joined by AND.

    ``modifier`` is empty, ``exact``, ``contains``, ``missing`` or ``not``; a type modifier of a
    reference is in its values. A chained one has no values but, in ``chain``, the inner criterion
    for each type that the reference may lead to, of which one must hold.
    """

    name: str
    text: str
    parameter: Parameter
    modifier: str = ""
    values: tuple[Value, ...] = ()
    chain: tuple[tuple[str, "Clause"], ...] = ()


class Unknown(Exception):
    """The parameter does not exist for the type: refused or left out, as the caller prefers."""


class Refused(Exception):
    """A criterion that cannot be understood, with the issue to say."""

    def __init__(self, refusal: Issue) -> None:
        """Keep the issue."""
        super().__init__(refusal.rule)
        self.issue = refusal


def _refuse(rule: str, name: str, **parts: object) -> Refused:
    return Refused(issue(rule, name, name=name, **parts))


def _targets(parameter: Parameter, modifier: str, name: str) -> tuple[str, ...]:
    """Give the types that a reference may lead to, narrowed by its type modifier."""
    if not modifier:
        if parameter.targets == (ANY,):
            return tuple(sorted(TYPES_WITH_PARAMETERS))
        return parameter.targets
    if modifier not in parameter.targets and parameter.targets != (ANY,):
        raise _refuse("search.target-unknown", name, target=modifier)
    return (modifier,)


def _chained(
    parameter: Parameter, modifier: str, rest: str, name: str, text: str, base_url: str, depth: int
) -> Clause:
    """Understand ``reference[:Type].rest=text``: one inner criterion for each type that has it."""
    if parameter.kind != "reference":
        raise _refuse("search.chain-not-a-reference", name)
    if depth >= CHAIN_MAX:
        raise _refuse("search.chain-too-deep", name, limit=CHAIN_MAX)
    inner: list[tuple[str, Clause]] = []
    for type in _targets(parameter, modifier, name):
        try:
            inner.append((type, _clause(type, rest, name, text, base_url, depth + 1)))
        except Unknown:
            continue
    if not inner:
        raise Unknown
    return Clause(name, text, parameter, chain=tuple(inner))


def _typed(value: ReferenceValue, modifier: str, parameter: Parameter) -> ReferenceValue:
    """Put the type that a modifier or the only target names on a bare id; raises BadValue."""
    if value.type is None:
        only = parameter.targets[0] if len(parameter.targets) == 1 else ANY
        type = modifier or (only if only != ANY else None)
        return value._replace(type=type)
    if modifier and value.type not in ("", modifier):
        raise BadValue
    return value


def _plain(text: str, system: str) -> Value:
    """Read a token whose values carry no system, ``system`` being implied; raises BadValue."""
    value = token_value(text)
    return value._replace(system="") if value.system in (None, system) else value


def _logical_id(text: str) -> Value:
    """Read the value of `_id`; raises BadValue."""
    if not is_id(text):
        raise BadValue
    return TokenValue(None, text)


def _reader(parameter: Parameter, modifier: str, base_url: str) -> Callable[[str], Value]:
    """Give the function that reads one value of a parameter."""
    if modifier == "missing":
        return missing_value
    if parameter.code == "_id":
        return _logical_id
    if parameter.kind == "token" and parameter.system is not None:
        system = parameter.system
        return lambda text: _plain(text, system)
    if parameter.kind == "reference":
        return lambda text: _typed(reference_value(text, base_url), modifier, parameter)
    return READERS[parameter.kind]


def _modifier(parameter: Parameter, modifier: str, name: str) -> str:
    """Check a modifier; raises Refused when it is not one of the parameter's."""
    is_type = parameter.kind == "reference" and modifier[:1].isupper() and modifier.isalpha()
    allowed = MODIFIERS[parameter.kind] if parameter.code not in _OF_THE_ROW else frozenset({""})
    if modifier not in allowed and not is_type:
        raise _refuse("search.modifier-not-supported", name, kind=parameter.kind)
    if is_type:
        _targets(parameter, modifier, name)
    return modifier


def _values(
    parameter: Parameter, modifier: str, name: str, text: str, base_url: str
) -> Iterator[Value]:
    """Read the alternatives of a text; raises Refused."""
    parts = split(text, ",")
    limit = VALUES_MAX if parameter.kind in _KEYED else RANGES_MAX
    if len(parts) > limit:
        raise _refuse("search.too-many-values", name, limit=limit)
    read = _reader(parameter, modifier, base_url)
    for part in parts:
        if len(part) > VALUE_LENGTH_MAX:
            raise _refuse("search.value-too-long", name, limit=VALUE_LENGTH_MAX)
        try:
            if not part or _UNSPEAKABLE.search(part):
                raise BadValue
            yield read(part)
        except BadValue:
            kind = parameter.kind if modifier != "missing" else "boolean"
            raise _refuse("search.value-invalid", name, kind=kind) from None


def _clause(type: str, spelled: str, name: str, text: str, base_url: str, depth: int) -> Clause:
    """Understand one criterion of a type; ``spelled`` is what is left of its name."""
    head, _, rest = spelled.partition(".")
    code, _, modifier = head.partition(":")
    parameter = parameters(type).get(code)
    if parameter is None:
        raise Unknown
    if rest:
        return _chained(parameter, modifier, rest, name, text, base_url, depth)
    modifier = _modifier(parameter, modifier, name)
    values = tuple(dict.fromkeys(_values(parameter, modifier, name, text, base_url)))
    plain = "" if modifier[:1].isupper() else modifier
    return Clause(name, text, parameter, plain, values)


def clause(type: str, name: str, text: str, base_url: str = "") -> Clause:
    """Understand ``name=text`` as a criterion on a resource type.

    Raises Unknown when the type has no such parameter (or none of a chain's targets has it), and
    Refused when its modifier or its values cannot be understood.
    """
    return _clause(type, name, name, text, base_url, 0)
