"""One criterion of a search: a parameter, its modifier, its values, its chain, `_has`.

https://hl7.org/fhir/R4/search.html#modifiers , https://hl7.org/fhir/R4/search.html#chaining ,
https://hl7.org/fhir/R4/search.html#has
"""

import re
from collections.abc import Callable, Iterator, Sequence

from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.references import is_id
from passerelle.fhir.search.language.criterion import (
    Clause,
    Criterion,
    Refused,
    Unknown,
    joined,
    refuse,
)
from passerelle.fhir.search.language.full_text import full_text_clause, is_full_text
from passerelle.fhir.search.language.modifiers import (
    NEGATIVE,
    OF_IDENTIFIERS,
    allowed,
    reader,
    uris_above,
)
from passerelle.fhir.search.language.reading import Reading
from passerelle.fhir.search.language.sounds import sounding
from passerelle.fhir.search.query_values import (
    BadValue,
    MissingValue,
    TokenValue,
    Value,
    split,
)
from passerelle.fhir.search.search_parameters import (
    ANY,
    PHONETIC,
    TYPES_WITH_PARAMETERS,
    Parameter,
    parameters,
)

CHAIN_MAX = 6
"""Links of a chain and of `_has`; ``participant:PractitionerRole.practitioner.name`` has two."""

VALUES_MAX = 200
"""Alternatives of a criterion that compares keys: codes, references, addresses."""

RANGES_MAX = 50
"""Alternatives of a criterion that looks through ranges: strings, dates, numbers."""

_KEYED = frozenset({"token", "reference", "uri"})

VALUE_LENGTH_MAX = 2000
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Controls and lone surrogates: in no name and no code, and not always storable."""

HAS = "_has:"
LIST = "_list"


def targets_of(parameter: Parameter, modifier: str, name: str) -> tuple[str, ...]:
    """Give the types that a reference may lead to, narrowed by its type modifier.

    Raises Refused for a type that it cannot lead to.
    """
    if not modifier:
        if parameter.targets == (ANY,):
            return tuple(sorted(resource_types()))
        return parameter.targets
    if modifier not in parameter.targets and (
        parameter.targets != (ANY,) or modifier not in resource_types()
    ):
        raise refuse("search.target-unknown", name, target=modifier if modifier.isalpha() else "?")
    return (modifier,)


_NOT_OF_THE_TYPE = frozenset(
    {"search.chain-not-a-reference", "search.target-unknown", "search.modifier-not-supported"}
)
"""What another type that a link leads to may still be able to answer."""


def step(
    parameter: Parameter,
    types: Sequence[str],
    name: str,
    text: str,
    read: Callable[[str], Criterion],
    *,
    reverse: bool = False,
) -> Clause:
    """Give the link to those types that can be read on from.

    When none can, raises Refused if one of them said why, else Unknown.
    """
    inner: list[tuple[str, Criterion]] = []
    refused: Refused | None = None
    for type in types:
        try:
            inner.append((type, read(type)))
        except Unknown:
            continue
        except Refused as refusal:
            if refusal.issue.rule not in _NOT_OF_THE_TYPE:
                raise
            refused = refused or refusal
    if not inner:
        raise refused or Unknown
    return Clause(name, text, parameter, chain=tuple(inner), reverse=reverse)


class Read:
    """Reads what is left of a criterion's name, on one type after another."""

    __slots__ = ("depth", "name", "reading", "spelled", "text")

    def __init__(self, reading: Reading, name: str, text: str, spelled: str, depth: int) -> None:
        """Keep what is left to be read, ``depth`` links down."""
        self.reading = reading
        self.name = name
        self.text = text
        self.spelled = spelled
        self.depth = depth

    def __call__(self, type: str) -> Criterion:
        """Understand it on a type. Raises Unknown, Refused."""
        self.reading.count(self.name)
        spelled = self.spelled
        if spelled.startswith(HAS):
            return self._has(type)
        if spelled == LIST:
            return self._listed(type)
        head, _, rest = spelled.partition(".")
        code, _, modifier = head.partition(":")
        parameter = self.reading.parameter(type, code, self.name)
        if parameter is None:
            raise Unknown
        if rest:
            return self._chained(parameter, modifier, rest)
        return plain_clause(parameter, modifier, self.name, self.text, self.reading)

    def _deeper(self, rest: str) -> "Read":
        if self.depth >= CHAIN_MAX:
            raise refuse("search.chain-too-deep", self.name, limit=CHAIN_MAX)
        return Read(self.reading, self.name, self.text, rest, self.depth + 1)

    def _chained(self, parameter: Parameter, modifier: str, rest: str) -> Clause:
        """Understand ``reference[:Type].rest``: one criterion for each type that has it."""
        if parameter.kind != "reference":
            raise refuse("search.chain-not-a-reference", self.name)
        deeper = self._deeper(rest)
        types = targets_of(parameter, modifier, self.name)
        return step(parameter, types, self.name, self.text, deeper)

    def _has(self, type: str) -> Clause:
        """Understand ``_has:Type:reference:rest``: what refers to this resource."""
        parts = self.spelled.split(":", 3)
        if len(parts) != 4 or not all(parts):
            raise refuse("search.has-invalid", self.name)
        source, code, rest = parts[1:]
        known = source in TYPES_WITH_PARAMETERS
        parameter = self.reading.parameter(source, code, self.name) if known else None
        if parameter is None:
            raise Unknown
        if parameter.kind != "reference":
            raise refuse("search.chain-not-a-reference", self.name)
        if ANY not in (type, *parameter.targets) and type not in parameter.targets:
            raise refuse("search.target-unknown", self.name, target=type)
        deeper = self._deeper(rest)
        return step(parameter, (source,), self.name, self.text, deeper, reverse=True)

    def _listed(self, type: str) -> Clause:
        """Understand `_list=id`: what a List has as an item. Raises Refused for `$current-…`."""
        if not is_id(self.text):
            functional = self.text.startswith("$")
            raise refuse(
                "search.list-functional" if functional else "search.list-invalid", self.name
            )
        item, own = parameters("List")["item"], parameters("List")["_id"]
        inner = Clause(self.name, self.text, own, values=(TokenValue(None, self.text),))
        return Clause(self.name, self.text, item, chain=(("List", inner),), reverse=True)


def _modifier(parameter: Parameter, modifier: str, name: str) -> str:
    """Check a modifier; raises Refused when it is not one of the parameter's."""
    kind: str = parameter.kind
    if not modifier and kind != "special":
        return modifier
    is_type = kind == "reference" and modifier[:1].isupper() and modifier.isalpha()
    if is_type:
        targets_of(parameter, modifier, name)
        return modifier
    identifies = modifier != "of-type" or parameter.code in OF_IDENTIFIERS
    if modifier not in allowed(parameter) or not identifies:
        raise refuse("search.modifier-not-supported", name, kind=parameter.kind)
    return modifier


def _parts(parameter: Parameter, name: str, text: str) -> list[str]:
    """Give the alternatives of a text, bounded; raises Refused."""
    parts = split(text, ",")
    limit = VALUES_MAX if parameter.kind in _KEYED else RANGES_MAX
    if len(parts) > limit:
        raise refuse("search.too-many-values", name, limit=limit)
    if any(len(part) > VALUE_LENGTH_MAX for part in parts):
        raise refuse("search.value-too-long", name, limit=VALUE_LENGTH_MAX)
    kind: str = parameter.kind
    if not all(parts) or _UNSPEAKABLE.search(text):
        raise refuse("search.value-invalid", name, kind=kind)
    return parts


def _read_values(
    parameter: Parameter, modifier: str, name: str, text: str, reading: Reading
) -> Iterator[Value]:
    """Read the alternatives of a text; raises Refused."""
    parts = _parts(parameter, name, text)
    read = reader(parameter, modifier, name, reading)
    try:
        for part in parts:
            if modifier == "above" and parameter.kind == "uri":
                yield from uris_above(part)
            else:
                yield read(part)
    except BadValue:
        kind = parameter.kind if modifier != "missing" else "boolean"
        raise refuse("search.value-invalid", name, kind=kind) from None


def _sounding(parameter: Parameter, name: str, text: str) -> Criterion:
    """Understand a criterion on how names sound; raises Refused."""
    try:
        return sounding(parameter, name, text, _parts(parameter, name, text))
    except BadValue:
        raise refuse("search.value-invalid", name, kind=parameter.kind) from None


def plain_clause(
    parameter: Parameter, modifier: str, name: str, text: str, reading: Reading
) -> Criterion:
    """Understand a criterion that is no chain. Raises Refused."""
    if is_full_text(parameter):
        return full_text_clause(parameter, modifier, name, text)
    modifier = _modifier(parameter, modifier, name)
    if parameter.code == PHONETIC and not modifier:
        return _sounding(parameter, name, text)
    values = tuple(_read_values(parameter, modifier, name, text, reading))
    if len(values) > 1:
        values = tuple(dict.fromkeys(values))
    if modifier == "missing" and len(values) > 1:
        raise refuse("search.value-invalid", name, kind="boolean")
    plain = "" if modifier[:1].isupper() else modifier
    return Clause(name, text, parameter, plain, values)


def _denies(criterion: Criterion) -> bool:
    """Tell whether a criterion holds of what has no value."""
    if not isinstance(criterion, Clause) or criterion.chain:
        return False
    return criterion.modifier in NEGATIVE or criterion.values[:1] == (MissingValue(True),)


def clause(types: Sequence[str], name: str, text: str, reading: Reading) -> Criterion:
    """Understand ``name=text`` as a criterion on resources of some types, all of which know it.

    Raises Unknown when a type has no such parameter (or none of a chain's targets has it), and
    Refused when its modifier or its values cannot be understood.
    """
    if len(types) == 1:
        # Most criteria are no chain.
        code, _, modifier = name.partition(":")
        parameter = reading.parameter(types[0], code, name)
        if parameter is not None and "." not in modifier:
            return plain_clause(parameter, modifier, name, text, reading)
        return Read(reading, name, text, name, 0)(types[0])
    read = Read(reading, name, text, name, 0)
    parts = tuple(dict.fromkeys(map(read, types)))
    # What no row of a type says is denied by every type; what one says is said by one.
    return joined(name, text, "and" if _denies(parts[0]) else "or", parts)


__all__ = ["CHAIN_MAX", "Clause", "Criterion", "Refused", "Unknown", "clause", "plain_clause"]
