"""The index rows of composite parameters: what stands together within one element.

https://hl7.org/fhir/R4/search.html#combining . Each component has the rows of its own kind; one row
is made for each combination of them within one element of the composite's expression.
"""

from collections.abc import Iterator
from itertools import islice, product
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.search import index_bounds
from passerelle.fhir.search.expressions import Path, compile_within
from passerelle.fhir.search.index_rows import (
    Composite,
    Link,
    Number,
    Quantity,
    Span,
    Text,
    Token,
)
from passerelle.fhir.search.index_values import EMITTERS, Add, Emit, Row
from passerelle.fhir.search.search_parameters import Parameter

COMBINATIONS_MAX = 1_000
"""Of one element; the codes of a concept are few."""

BYTES_MAX = 2_500
"""Of the four texts of a row: an index entry of PostgreSQL holds 2,704 with the rest."""

_Said = tuple[str, str, float, float]
"""What a component says: text, system, low and high."""


class _Part(NamedTuple):
    """One component: the ways to its nodes, and what makes rows of them."""

    paths: tuple[Path, ...]
    emit: Emit


class CompositeRule(NamedTuple):
    """One composite parameter on one kind of element."""

    param: int
    parts: tuple[_Part, ...]

    def add_rows(self, element: Any, resource: Resource, add: Add) -> None:
        """Add the combinations within an element; none unless every component says something."""
        said: list[list[_Said]] = []
        for part in reversed(self.parts):  # values are absent more often than codes
            found = list(_said(part, element, resource))
            if not found:
                return
            said.append(found)
        for combination in islice(product(*reversed(said)), COMBINATIONS_MAX):
            row = _row(self.param, combination)
            if _fits(row):
                add(row)


def composite_rule(parameter: Parameter, path: Path) -> CompositeRule:
    """Compile the components of a composite for one alternative of its expression."""
    types = tuple(name for name, _ in path.types)
    parts = (
        _Part(compile_within(types, part.expression, parameter.type), EMITTERS[part.kind])
        for part in parameter.components
    )
    return CompositeRule(parameter.id, tuple(parts))


def _said(part: _Part, element: Any, resource: Resource) -> Iterator[_Said]:
    """Give what a component says of an element."""
    rows: list[Row] = []
    for path in part.paths:
        nodes = [resource if path.of_resource else element]
        if path.first:
            value = nodes[0].get(path.first) if type(nodes[0]) is dict else None
            if value is None:
                continue
            nodes = value if type(value) is list else [value]
        for step in path.steps:
            nodes = step(nodes)
        for node in nodes:
            part.emit(1, node, rows.append)
    strings, links = part.emit is EMITTERS["string"], part.emit is EMITTERS["reference"]
    for row in dict.fromkeys(rows):
        if links and not isinstance(row, Link):
            continue  # the identifier of a reference: a component has no modifier that asks for it
        said = _cells(row, strings)
        if said is not None:
            yield said


def _cells(row: Row, strings: bool) -> _Said | None:
    """Give the cells of a row as a component; None for those that serve its modifiers."""
    if isinstance(row, Quantity):
        return row.code, row.system, float(row.low), float(row.high)
    if isinstance(row, Token):
        return (row.value, row.system, 0.0, 0.0) if row.param == 1 else None
    if isinstance(row, Text):
        return (row.norm, "", 0.0, 0.0) if strings else None
    if isinstance(row, Link):
        return index_bounds.key(f"{row.type}/{row.id}"), "", 0.0, 0.0
    if isinstance(row, Span | Number):
        return "", "", float(row.low), float(row.high)
    return None


def _fits(row: Composite) -> bool:
    """Tell whether a row can be a key of both databases; codes that long are not real ones."""
    texts = row[1:5]
    if sum(map(len, texts)) * 4 <= BYTES_MAX:
        return True
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) <= BYTES_MAX


def _row(param: int, said: tuple[_Said, ...]) -> Composite:
    """Put the components of one combination into a row."""
    (head, head_system, *_), (tail, tail_system, low, high), *more = said
    second = more[0][2:] if more else (0.0, 0.0)
    return Composite(param, head, head_system, tail, tail_system, low, high, *second)
