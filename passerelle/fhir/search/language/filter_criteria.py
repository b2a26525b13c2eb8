"""What a `_filter` asks: its tree as criteria on the parameters of a type.

https://hl7.org/fhir/R4/search_filter.html#ops . Each operator becomes a modifier or a prefix of the
kind of parameter that stands before it.
"""

from collections.abc import Sequence

from passerelle.fhir.search.language.clauses import CHAIN_MAX, VALUE_LENGTH_MAX, step, targets_of
from passerelle.fhir.search.language.criterion import (
    Clause,
    Combined,
    Criterion,
    OfType,
    Unknown,
    refuse,
)
from passerelle.fhir.search.language.filter_syntax import (
    BadFilter,
    Comparison,
    Segment,
    TooLarge,
    Tree,
    parse_filter,
)
from passerelle.fhir.search.language.modifiers import OF_THE_ROW, allowed, reader
from passerelle.fhir.search.language.reading import Reading
from passerelle.fhir.search.query_values import BadValue, escape
from passerelle.fhir.search.search_parameters import Parameter

_PREFIXED = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")

_TEXTS = {"co": "contains", "sw": "begins", "ew": "ends"}
_ORDER = {"gt": "greater", "lt": "less", "ge": "at-least", "le": "at-most"}
# "The value subsumes a concept in the set": the concept that is found lies below the value.
_SUBSUMED = {"ss": "below", "sb": "above"}

OPERATORS: dict[str, dict[str, str]] = {
    "string": {"eq": "same", "ne": "other", **_TEXTS, **_ORDER, "ap": "same"},
    "token": {"eq": "", "ne": "other", **_TEXTS, **_SUBSUMED, "in": "in", "ni": "not-in", "ap": ""},
    "reference": {"eq": "", "ne": "other", "re": ""},
    "uri": {"eq": "", "ne": "other", **_TEXTS, **_SUBSUMED, "re": ""},
    "date": {**dict.fromkeys(_PREFIXED, ""), "po": "overlaps"},
    "number": dict.fromkeys(_PREFIXED, ""),
    "quantity": dict.fromkeys(_PREFIXED, ""),
}
"""By kind, by operator: the modifier that answers it. ``pr`` is known to all but `_id`."""

_SPELLED = frozenset({"date", "number", "quantity"})
"""Kinds whose values carry the operator as their prefix."""


class Filter:
    """Makes criteria of the tree of one `_filter`."""

    def __init__(self, reading: Reading, name: str, text: str) -> None:
        """Keep what the criteria are named after."""
        self.reading = reading
        self.name = name
        self.text = text

    def criterion(self, tree: Tree, type: str, depth: int = 0) -> Criterion:
        """Understand a tree on a type. Raises Refused, Unknown."""
        if isinstance(tree, Comparison):
            return self._path(tree.path, tree, type, depth)
        parts = tuple(self.criterion(part, type, depth) for part in tree.parts)
        return Combined(self.name, self.text, tree.operator, parts)

    def _path(self, path: Sequence[Segment], tree: Comparison, type: str, depth: int) -> Criterion:
        """Understand a comparison whose path starts at a type."""
        self.reading.count(self.name)
        segment, rest = path[0], path[1:]
        code, _, modifier = segment.name.partition(":")
        parameter = self.reading.parameter(type, code, self.name)
        if parameter is None:
            raise Unknown
        if not rest:
            if segment.inner is not None or modifier:
                raise refuse("search.filter-path", self.name)
            return self._compared(parameter, tree)
        if parameter.kind != "reference":
            raise refuse("search.chain-not-a-reference", self.name)
        if depth >= CHAIN_MAX:
            raise refuse("search.chain-too-deep", self.name, limit=CHAIN_MAX)

        def read(target: str) -> Criterion:
            following = self._path(rest, tree, target, depth + 1)
            if segment.inner is None:
                return following
            held = self.criterion(segment.inner, target, depth + 1)
            return Combined(self.name, self.text, "and", (held, following))

        types = targets_of(parameter, modifier, self.name)
        return step(parameter, types, self.name, self.text, read)

    def _compared(self, parameter: Parameter, tree: Comparison) -> Clause:
        """Understand ``parameter operator value``."""
        if tree.operator == "pr" and "missing" in allowed(parameter):
            if tree.value not in ("true", "false"):
                raise refuse("search.value-invalid", self.name, kind="boolean")
            asked = "false" if tree.value == "true" else "true"
            return self._clause(parameter, "missing", asked)
        modifier = OPERATORS.get(parameter.kind, {}).get(tree.operator)
        if modifier is None or (modifier and parameter.code in OF_THE_ROW):
            raise refuse("search.filter-operator", self.name, kind=parameter.kind)
        value = tree.value
        if parameter.kind in _SPELLED:
            value = value if modifier else tree.operator + value
        elif tree.quoted and parameter.kind == "string":
            value = escape(value)
        return self._clause(parameter, modifier, value)

    def _clause(self, parameter: Parameter, modifier: str, value: str) -> Clause:
        """Read the value as the kind of its parameter does."""
        if len(value) > VALUE_LENGTH_MAX:
            raise refuse("search.value-too-long", self.name, limit=VALUE_LENGTH_MAX)
        try:
            if not value or not value.isprintable():
                raise BadValue
            read = reader(parameter, modifier, self.name, self.reading)(value)
        except BadValue:
            raise refuse("search.value-invalid", self.name, kind=parameter.kind) from None
        return Clause(self.name, self.text, parameter, modifier, (read,))


def filter_criterion(types: Sequence[str], name: str, text: str, reading: Reading) -> Criterion:
    """Understand `_filter` on some types, all of which know its parameters. Raises Refused."""
    try:
        tree = parse_filter(text)
    except BadFilter as fault:
        raise refuse("search.filter-invalid", name, place=fault.place + 1) from None
    except TooLarge:
        raise refuse("search.filter-too-large", name) from None
    made = Filter(reading, name, text)
    try:
        parts = tuple(made.criterion(tree, type) for type in types)
    except Unknown:
        raise refuse("search.filter-path", name) from None
    if len(set(parts)) == 1:
        return parts[0]
    # What a type denies holds of every other type: each speaks of its own only.
    each = zip(types, parts, strict=True)
    return Combined(
        *(name, text, "or"),
        tuple(Combined(name, text, "and", (OfType(name, text, type), part)) for type, part in each),
    )
