"""The shape of a search, which its SQL text depends on, and its arguments, which it does not.

One text serves every search of one shape: ``identifier=a|b`` and ``identifier=c|d`` have the same.
"""

from collections.abc import Hashable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from passerelle.fhir.search.query import Clause, Combined, Criterion, OfType, Query, Sort
from passerelle.fhir.search.query_values import MissingValue
from passerelle.fhir.search.search_parameters import ANY, Parameter, by_id, parameters
from passerelle.store.search_sql.search_faces import face_of

Phase: TypeAlias = Literal["range", "present", "absent"]
Purpose: TypeAlias = Literal["page", "ids", "count", "survey", "beyond"]

BY_RANK = -1
"""The criterion that drives follows from the shape alone."""

NOTHING = -2
"""No criterion drives: what is asked for is probed, row by row, in the order of the page."""


class Group(NamedTuple):
    """So many alternatives of one shape."""

    shape: Hashable
    size: int


class ClauseShape(NamedTuple):
    """One criterion without its arguments; ``missing`` is what `:missing` asks, if it does.

    ``params`` are several where parameters of several types are asked for the same.
    """

    params: tuple[int, ...]
    modifier: str
    groups: tuple[Group, ...]
    missing: bool | None = None


class ChainShape(NamedTuple):
    """A link and the criterion at its other end; ``reverse``: the end that refers (`_has`).

    ``types`` are those that are referred to, as far as they are known; ``identifiers`` the
    parameters of their identifiers, by which a logical reference names them.
    """

    params: tuple[int, ...]
    types: tuple[str, ...]
    identifiers: tuple[int, ...]
    inner: "Shape"
    reverse: bool = False


class CombinedShape(NamedTuple):
    """Several criteria: all, one of them, or the only one not."""

    operator: Literal["and", "or", "not"]
    parts: tuple["Shape", ...]


class TypeShape(NamedTuple):
    """The resource is of a type."""

    type: str


Shape: TypeAlias = ClauseShape | ChainShape | CombinedShape | TypeShape


class SortShape(NamedTuple):
    """One sort key."""

    param: int
    descending: bool


class QueryShape(NamedTuple):
    """A whole search; ``after``, of a page that goes on: which keys of the place are null.

    ``phase``, of a page that goes through the index of its one sort key: those that have a value
    are present, and come first; or along the ``range`` of its index that a criterion asks for.
    ``types``: of how many types; none says of all. ``below``: changed before an instant, the first
    argument after the types. ``limit``: as many rows, where it stands in the text. ``chosen``: the
    place of the criterion that drives. ``budget``: as many rows are looked at or counted; none says
    all.
    """

    purpose: Purpose
    clauses: tuple[Shape, ...]
    sort: tuple[SortShape, ...] = ()
    after: tuple[bool, ...] | None = None
    phase: Phase | None = None
    types: int = 1
    below: bool = False
    limit: int = 0
    chosen: int = BY_RANK
    budget: int = 0


Shaped: TypeAlias = tuple[Shape, list[Any]]
"""A shape with its arguments, in the order of the conditions."""


def _padded(size: int) -> int:
    """Give the power of two that so many alternatives are repeated up to: there are few shapes."""
    return 1 << (size - 1).bit_length()


def _groups(clause: Clause, arguments: list[Any]) -> tuple[Group, ...]:
    """Give the alternatives of a criterion by shape, and append their arguments.

    The last of a group is repeated up to a power of two.
    """
    modifier = clause.modifier
    face = face_of(clause.parameter, modifier)
    if len(clause.values) == 1:
        value = clause.values[0]
        arguments.extend(face.arguments(value, modifier))
        return (Group(face.shape(value, modifier), 1),)
    found: dict[Hashable, list[tuple[Any, ...]]] = {}
    for value in clause.values:
        group = found.setdefault(face.shape(value, modifier), [])
        group.append(face.arguments(value, modifier))
    made = []
    for shape, group in found.items():
        size = _padded(len(group))
        for argument in (*group, *group[-1:] * (size - len(group))):
            arguments.extend(argument)
        made.append(Group(shape, size))
    return tuple(made)


def _leaf(clause: Clause, arguments: list[Any]) -> ClauseShape:
    """Give the shape of a criterion that is no chain."""
    params = (clause.parameter.id,)
    first = clause.values[0]
    if isinstance(first, MissingValue):
        return ClauseShape(params, clause.modifier, (), missing=first.missing)
    return ClauseShape(params, clause.modifier, _groups(clause, arguments))


def _identifiers(types: Sequence[str]) -> tuple[int, ...]:
    """Give the parameters by which resources of some types are known by their identifiers."""
    found = (parameters(type).get("identifier") for type in types)
    return tuple(each.id for each in found if each is not None and each.kind == "token")


def _kin(shape: Shape) -> Hashable:
    """Give what two shapes have in common that only differ in their parameters."""
    if isinstance(shape, ClauseShape):
        parameter = by_id(shape.params[0])
        bare = parameter.targets if parameter.kind == "reference" else ()
        own = parameter.code if parameter.type == ANY else ""
        return parameter.kind, own, bare, shape._replace(params=())
    if isinstance(shape, ChainShape):
        return shape._replace(params=(), types=(), identifiers=())
    return shape


def _and_more(shape: Shape, other: Shape) -> Shape:
    """Join two shapes of one kin."""
    if isinstance(shape, ClauseShape) and isinstance(other, ClauseShape):
        return shape._replace(params=_both(shape.params, other.params))
    if isinstance(shape, ChainShape) and isinstance(other, ChainShape):
        return shape._replace(
            params=_both(shape.params, other.params),
            types=_both(shape.types, other.types),
            identifiers=_both(shape.identifiers, other.identifiers),
        )
    return shape


def _both(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _merged(parts: Sequence[Shaped]) -> list[Shaped]:
    """Join those parts of an OR (or of an AND of denials) that ask the same of other parameters."""
    found: dict[Hashable, Shaped] = {}
    for shape, arguments in parts:
        key = (_kin(shape), tuple(arguments))
        held = found.get(key)
        found[key] = (shape, arguments) if held is None else (_and_more(held[0], shape), held[1])
    return list(found.values())


def _chain(clause: Clause, arguments: list[Any], types: Sequence[str]) -> Shape:
    """Give the shape of a chain or of `_has`: one for each kind of criterion at its other end."""
    parameter = clause.parameter
    if clause.reverse:
        ((source, inner),) = clause.chain
        target = _referred(parameter, types)
        within = _shape(inner, arguments, (source,))
        return ChainShape((parameter.id,), target, _identifiers(target), within, reverse=True)
    ends: dict[Hashable, tuple[Shape, list[Any], list[str]]] = {}
    for type, criterion in clause.chain:
        own: list[Any] = []
        shape = _shape(criterion, own, (type,))
        key = (_kin(shape), tuple(own))
        held = ends.get(key)
        if held is None:
            ends[key] = (shape, own, [type])
        else:
            ends[key] = (_and_more(held[0], shape), own, [*held[2], type])
    links: list[Shape] = []
    for shape, own, led in ends.values():
        arguments.extend(own)
        links.append(ChainShape((parameter.id,), tuple(led), _identifiers(led), shape))
    return links[0] if len(links) == 1 else CombinedShape("or", tuple(links))


def _referred(parameter: Parameter, types: Sequence[str]) -> tuple[str, ...]:
    """Give the types that `_has` is asked of."""
    if types:
        return tuple(types)
    return () if parameter.targets == (ANY,) else parameter.targets


def _combined(combined: Combined, arguments: list[Any], types: Sequence[str]) -> Shape:
    """Give the shape of joined criteria."""
    parts: list[Shaped] = []
    for criterion in combined.parts:
        own: list[Any] = []
        parts.append((_shape(criterion, own, types), own))
    denials = all(isinstance(shape, ClauseShape) and denies(shape) for shape, _ in parts)
    if combined.operator == ("and" if denials else "or"):
        parts = _merged(parts)
    for _, own in parts:
        arguments.extend(own)
    if len(parts) == 1 and combined.operator != "not":
        return parts[0][0]
    return CombinedShape(combined.operator, tuple(shape for shape, _ in parts))


def denies(shape: ClauseShape) -> bool:
    """Tell whether a criterion holds of what has no such value."""
    return shape.modifier in ("not", "not-in") or shape.missing is True


def _shape(criterion: Criterion, arguments: list[Any], types: Sequence[str]) -> Shape:
    """Give the shape of a criterion on some types and append its arguments."""
    if isinstance(criterion, Clause):
        if criterion.chain:
            return _chain(criterion, arguments, types)
        return _leaf(criterion, arguments)
    if isinstance(criterion, OfType):
        return TypeShape(criterion.type)
    return _combined(criterion, arguments, types)


def query_shape(
    query: Query,
    purpose: Purpose,
    arguments: list[Any],
    sort: tuple[SortShape, ...] = (),
    below: int | None = None,
) -> QueryShape:
    """Give the shape of a query and append its arguments, those of its types first."""
    types: tuple[str, ...] = query.types
    size = 0
    if query.type:
        types, size = (query.type,), 1
        arguments.append(query.type)
    elif types:
        size = _padded(len(types))
        arguments.extend((*types, *types[-1:] * (size - len(types))))
    if below is not None:
        arguments.append(below)
    asked = query.clauses if query.within is None else (query.within, *query.clauses)
    found: list[Shape] = []
    for criterion in asked:
        shape = _shape(criterion, arguments, types)
        if isinstance(shape, CombinedShape) and shape.operator == "and":
            found += shape.parts
        else:
            found.append(shape)
    return QueryShape(purpose, tuple(found), sort, types=size, below=below is not None)


def sort_shape(sort: tuple[Sort, ...]) -> tuple[SortShape, ...]:
    """Give the shape of an order."""
    return tuple([SortShape(key.parameter.id, key.descending) for key in sort])
