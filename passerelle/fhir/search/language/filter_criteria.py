"""What a `_filter` asks: its tree as criteria on the parameters of a type.

https://hl7.org/fhir/R4/search_filter.html#ops . Each operator becomes a modifier or a prefix of the
kind of parameter that stands before it.
"""

from collections.abc import Sequence
from dataclasses import replace

from passerelle.fhir.search.language.clauses import CHAIN_MAX, VALUE_LENGTH_MAX, step, targets_of
from passerelle.fhir.search.language.criterion import (
    Clause,
    Combined,
    Criterion,
    OfType,
    Refused,
    Unknown,
    refuse,
)
from passerelle.fhir.search.language.filter_elements import element_clause, is_element
from passerelle.fhir.search.language.filter_operators import (
    OPERATORS,
    SOUNDS,
    SPELLED,
    any_case,
    full_system,
)
from passerelle.fhir.search.language.filter_syntax import (
    BadFilter,
    Comparison,
    Segment,
    TooLarge,
    Tree,
    parse_filter,
)
from passerelle.fhir.search.language.modifiers import OF_THE_ROW, allowed, reader, uris_above
from passerelle.fhir.search.language.reading import Reading
from passerelle.fhir.search.language.sounds import sounding
from passerelle.fhir.search.query_values import BadValue, Value, escape
from passerelle.fhir.search.search_parameters import PHONETIC, Parameter


class _Placed(Refused):
    """A refusal that says already where in the filter it is."""


def _placed(refusal: Refused, place: int) -> Refused:
    """Say where in the filter what is refused begins, counted from 1."""
    if isinstance(refusal, _Placed):
        return refusal
    fault = refusal.issue
    text = f"{fault.text.removesuffix('.')} (caractère {place + 1})."
    text_en = f"{fault.text_en.removesuffix('.')} (character {place + 1})."
    return _Placed(replace(fault, text=text, text_en=text_en))


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
            try:
                return self._path(tree.path, tree, type, depth)
            except Refused as refusal:
                raise _placed(refusal, tree.at.path) from None
            except Unknown:
                if depth:
                    raise
                raise _placed(refuse("search.filter-path", self.name), tree.at.path) from None
        parts = tuple(self.criterion(part, type, depth) for part in tree.parts)
        return Combined(self.name, self.text, tree.operator, parts)

    def _path(self, path: Sequence[Segment], tree: Comparison, type: str, depth: int) -> Criterion:
        """Understand a comparison whose path starts at a type."""
        self.reading.count(self.name)
        if is_element(type, tuple(path)):
            return element_clause(
                *(type, tuple(path), tree, self.name, self.text, self.reading.base_url)
            )
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

    def _compared(self, parameter: Parameter, tree: Comparison) -> Criterion:
        """Understand ``parameter operator value``."""
        kind: str = parameter.kind
        if tree.operator == "pr" and "missing" in allowed(parameter):
            asked = {"true": "false", "false": "true"}.get(tree.value)
            if asked is None:
                raise _placed(
                    refuse("search.value-invalid", self.name, kind="boolean"), tree.at.value
                )
            return self._read(parameter, "missing", asked, tree)
        modifier = OPERATORS.get(kind, {}).get(tree.operator)
        refused = modifier and parameter.code in OF_THE_ROW
        if parameter.code == PHONETIC:
            refused = tree.operator not in SOUNDS
        if modifier is None or refused:
            raise _placed(refuse("search.filter-operator", self.name, kind=kind), tree.at.operator)
        value = full_system(kind, tree.value)
        if kind in SPELLED:
            value = value if modifier else tree.operator + value
        elif tree.quoted and kind == "string":
            value = escape(value)
        return self._read(parameter, modifier, value, tree)

    def _read(self, parameter: Parameter, modifier: str, value: str, tree: Comparison) -> Criterion:
        """Read the value as the kind of its parameter does."""
        try:
            if len(value) > VALUE_LENGTH_MAX:
                raise refuse("search.value-too-long", self.name, limit=VALUE_LENGTH_MAX)
            if not value or not value.isprintable():
                raise BadValue
            if parameter.code == PHONETIC and modifier != "missing":
                return sounding(parameter, self.name, self.text, [value])
            if modifier == "above" and parameter.kind == "uri":
                return self._made(parameter, modifier, uris_above(value))
            read = reader(parameter, modifier, self.name, self.reading)(value)
        except BadValue:
            fault = refuse("search.value-invalid", self.name, kind=parameter.kind)
            raise _placed(fault, tree.at.value) from None
        except Refused as refusal:
            raise _placed(refusal, tree.at.value) from None
        if parameter.code not in OF_THE_ROW:
            modifier = any_case(modifier, read)
        return self._made(parameter, modifier, (read,))

    def _made(self, parameter: Parameter, modifier: str, values: tuple[Value, ...]) -> Clause:
        return Clause(self.name, self.text, parameter, modifier, values)


def filter_criterion(types: Sequence[str], name: str, text: str, reading: Reading) -> Criterion:
    """Understand `_filter` on some types, all of which know its parameters. Raises Refused."""
    try:
        tree = parse_filter(text)
    except BadFilter as fault:
        raise refuse("search.filter-invalid", name, place=fault.place + 1) from None
    except TooLarge:
        raise refuse("search.filter-too-large", name) from None
    made = Filter(reading, name, text)
    parts = tuple(made.criterion(tree, type) for type in types)
    if len(set(parts)) == 1:
        return parts[0]
    # What a type denies holds of every other type: each speaks of its own only.
    each = zip(types, parts, strict=True)
    return Combined(
        *(name, text, "or"),
        tuple(Combined(name, text, "and", (OfType(name, text, type), part)) for type, part in each),
    )
