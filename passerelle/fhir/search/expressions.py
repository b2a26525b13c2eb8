"""The expressions of search parameters as Python functions.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression . They are a
small part of FHIRPath (http://hl7.org/fhirpath/N1/), read by ``expression_syntax``. The names of a
path are looked up in the table of structures, so that a choice is known by its spelled elements
(``valueQuantity``) and a name that does not exist is a fault. Each expression is read once and
becomes closures over lists of nodes; nothing is interpreted while a resource is indexed.
"""

from typing import NamedTuple, TypeAlias

from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.structure_table import Element
from passerelle.fhir.search import expression_steps as steps_of
from passerelle.fhir.search.expression_steps import Nodes, Step
from passerelle.fhir.search.expression_syntax import (
    Binary,
    Call,
    Cast,
    Is,
    Item,
    Literal,
    Member,
    Tree,
    Variable,
    parse,
)

__all__ = ["Nodes", "Path", "Step", "compile_expression", "compile_within"]


Types: TypeAlias = tuple[tuple[str, Element | None], ...]
"""The types that a node may be of, each with the element that it was found as."""


class Path(NamedTuple):
    """One alternative: the first element below the focus and what leads on from it.

    ``first`` is the name as it stands in the JSON (``deceasedDateTime``); empty when the steps
    start from the focus itself. ``types`` are those that it may end in, with the element that they
    were found as; ``of_resource`` says that it starts from the resource (``%resource``).
    """

    first: str
    steps: tuple[Step, ...]
    types: Types = ()
    of_resource: bool = False


class _Reached(NamedTuple):
    """What a step was made of, and the types it leads to."""

    step: Step
    types: Types


def compile_expression(type_: str, expression: str) -> tuple[Path, ...]:
    """Give the alternatives of the expression of a parameter on a resource type.

    Raises ValueError for a shape that is not known, and for an element that does not exist.
    """
    return compile_within((type_,), expression, type_)


def compile_within(types: tuple[str, ...], expression: str, resource_type: str) -> tuple[Path, ...]:
    """Give the alternatives of an expression whose focus is of one of those types.

    ``resource_type`` is the type of ``%resource``. Raises ValueError as ``compile_expression``.
    """
    focus = tuple((type_, None) for type_ in types)
    return tuple(
        path
        for alternative in _alternatives(parse(expression))
        for path in _paths(alternative, focus, resource_type)
    )


def _alternatives(tree: Tree) -> list[Tree]:
    """Take the unions at the top apart."""
    if isinstance(tree, Binary) and tree.operator == "|":
        return [*_alternatives(tree.left), *_alternatives(tree.right)]
    return [tree]


def _chain(tree: Tree) -> list[Tree]:
    """Give the links of a path, the first one first."""
    links: list[Tree] = []
    here: Tree | None = tree
    while here is not None:
        links.append(here)
        here = here.source if isinstance(here, Member | Call | Item | Cast) else None
    return links[::-1]


def _paths(tree: Tree, focus: Types, resource_type: str) -> list[Path]:
    """Compile one alternative: by its first element where it has one."""
    of_resource = _chain(tree)[0] == Variable("resource")
    if of_resource:
        focus = ((resource_type, None),)
    links = _links(tree, focus)
    if not links:
        return [Path("", (), focus, of_resource)]
    first = links[0]
    if isinstance(first, Call) and first.name == "extension":
        links[:1] = [Member(None, "extension"), Call(first, "where", (_url_is(first),))]
        first = links[0]
    if not isinstance(first, Member):
        reached = _follow(links, focus)
        return [Path("", (reached.step,), reached.types, of_resource)]
    cast = links[1] if len(links) > 1 and isinstance(links[1], Cast) else None
    found: list[Path] = []
    for name, entry in _named(focus, first.name, cast):
        following = links[2:] if cast and entry[1] is not None and entry[1].choice else links[1:]
        reached = _follow(following, (entry,))
        steps = () if reached.step is steps_of.same else (reached.step,)
        if reached.step is not steps_of.nothing:
            found.append(Path(name, steps, reached.types, of_resource))
    return found


def _links(tree: Tree, focus: Types) -> list[Tree]:
    """Give the links of a path without what names its focus (``Patient``, ``%resource``)."""
    links = _chain(tree)
    names = {type_ for type_, _ in focus} | {"Resource", "DomainResource"}
    named = isinstance(links[0], Member) and links[0].name in names
    return links[1:] if named or links[0] == Variable("resource") else links


def _inner(tree: Tree, focus: Types) -> list[Tree]:
    """Give the links of a path within another one. Raises ValueError for one of ``%resource``.

    It would be read for every node of the outer one: what costs the square of a resource.
    """
    if _chain(tree)[0] == Variable("resource"):
        raise ValueError("not a shape of search expression: %resource within a path")
    return _links(tree, focus)


def _url_is(call: Call) -> Tree:
    """Give the criterion that ``extension(url)`` is short for."""
    return Binary("=", Member(None, "url"), call.arguments[0])


def _named(
    focus: Types, name: str, cast: Cast | None
) -> list[tuple[str, tuple[str, Element | None]]]:
    """Give the names that a member may have in the JSON, each with its type.

    Raises ValueError when none of the types has such an element.
    """
    found: dict[str, tuple[str, Element | None]] = {}
    known = False
    for type_, _ in focus:
        for element in _elements(type_):
            if element.name != name:
                continue
            known = True
            for spelled, kind in zip(element.json_names(), element.kinds, strict=False):
                if cast is None or not element.choice or _is_type(kind.name, cast.type):
                    found[spelled] = (kind.name, element)
            if not element.choice:
                found[name] = (element.kinds[0].name, element)
    if not known or not found:
        raise ValueError(f"no such element: {name} of {', '.join(type_ for type_, _ in focus)}")
    return list(found.items())


def _elements(type_: str) -> tuple[Element, ...]:
    """Give the elements of a type; none of a primitive one."""
    try:
        return structure_table.elements(type_)
    except KeyError:
        return ()


def _is_type(name: str, wanted: str) -> bool:
    """Tell whether a type is the one of a cast; R4 writes ``DateTime`` in one place."""
    return name == wanted or name == wanted[0].lower() + wanted[1:]


def _follow(links: list[Tree], focus: Types) -> _Reached:
    """Compile the links of a path that stand after its beginning."""
    made: list[Step] = []
    types = focus
    place = 0
    while place < len(links):
        link = links[place]
        following = links[place + 1] if place + 1 < len(links) else None
        if isinstance(link, Member) and isinstance(following, Cast):
            named = _named(types, link.name, following)
            choice = any(entry[1] is not None and entry[1].choice for _, entry in named)
            place += 1 if choice else 0
            made.append(steps_of.choice(tuple(name for name, _ in named)))
            types = tuple(entry for _, entry in named)
        else:
            reached = _link(link, types)
            made.append(reached.step)
            types = reached.types
        place += 1
    if steps_of.nothing in made:
        return _Reached(steps_of.nothing, ())
    kept = tuple(step for step in made if step is not steps_of.same)
    return _Reached(steps_of.chain(kept) if kept else steps_of.same, types)


def _link(link: Tree, types: Types) -> _Reached:
    """Compile one link."""
    if isinstance(link, Member):
        named = _named(types, link.name, None)
        step = steps_of.choice(tuple(name for name, _ in named))
        return _Reached(step, tuple(entry for _, entry in named))
    if isinstance(link, Item):
        return _Reached(steps_of.item(link.place), types)
    if isinstance(link, Cast):
        kept = tuple(entry for entry in types if _is_type(entry[0], link.type))
        if kept and len(kept) < len(types):
            raise ValueError(f"a cast that cannot be told from the JSON: {link.type}")
        return _Reached(steps_of.same if kept else steps_of.nothing, kept)
    if isinstance(link, Call):
        return _call(link, types)
    if isinstance(link, Literal):
        return _Reached(steps_of.literal(link.value), ())
    if isinstance(link, Binary):
        left, right = (_follow(_inner(side, types), types) for side in (link.left, link.right))
        return _Reached(steps_of.binary(link.operator, left.step, right.step), (("boolean", None),))
    raise ValueError(f"not a shape of search expression: {link}")


_TRUTHS: dict[str, Step] = {
    "exists": steps_of.exists,
    "empty": steps_of.empty,
    "not": steps_of.negated,
}


def _call(call: Call, types: Types) -> _Reached:
    """Compile a function."""
    if call.name in _TRUTHS and not call.arguments:
        return _Reached(_TRUTHS[call.name], (("boolean", None),))
    argument = call.arguments[0] if len(call.arguments) == 1 else None
    if call.name == "where" and argument is not None:
        return _Reached(_where(argument, types), types)
    if isinstance(argument, Literal) and isinstance(argument.value, str):
        if call.name == "hasExtension":
            return _Reached(steps_of.has_extension(argument.value), (("boolean", None),))
        if call.name == "extension":
            kept = steps_of.where_equal("url", argument.value)
            both = steps_of.chain((steps_of.child("extension"), kept))
            return _Reached(both, (("Extension", None),))
    raise ValueError(f"not a function of search expressions: {call.name}")


def _where(criterion: Tree, types: Types) -> Step:
    """Compile ``where(…)``, the criteria that are everywhere in a form of their own."""
    if isinstance(criterion, Is) and criterion.source == Call(None, "resolve", ()):
        return steps_of.where_resolves(criterion.type)
    if (
        isinstance(criterion, Binary)
        and criterion.operator == "="
        and isinstance(criterion.left, Member)
        and criterion.left.source is None
        and isinstance(criterion.right, Literal)
    ):
        _named(types, criterion.left.name, None)
        return steps_of.where_equal(criterion.left.name, criterion.right.value)
    return steps_of.where(_follow(_inner(criterion, types), types).step)
