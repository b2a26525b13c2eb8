"""From the tree of a FHIRPath expression to Python functions, made once and run often.

http://hl7.org/fhirpath/N1/ , https://hl7.org/fhir/R4/fhirpath.html . What is not compiled here is
refused when the expression is read, not when it runs: ``resolve()``, ``memberOf()``,
``conformsTo()``, ``now()`` and the like, which need a server, a terminology or a clock.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from passerelle.fhir.fhirpath import syntax
from passerelle.fhir.fhirpath.collection_functions import COLLECTION_FUNCTIONS, Function, whole
from passerelle.fhir.fhirpath.evaluation import KNOWN, Expression, Run, Scope
from passerelle.fhir.fhirpath.iteration import ITERATIONS
from passerelle.fhir.fhirpath.nodes import Items, Node, child, is_as, is_of, is_type, lineage
from passerelle.fhir.fhirpath.operators import OPERATORS, CannotEvaluate, Kept, single, truth
from passerelle.fhir.fhirpath.quantities import Quantity
from passerelle.fhir.fhirpath.syntax import NotFhirPath
from passerelle.fhir.fhirpath.value_functions import VALUE_FUNCTIONS

FUNCTIONS: dict[str, Function] = {**COLLECTION_FUNCTIONS, **VALUE_FUNCTIONS}


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Compile an expression. Raises NotFhirPath when it is none, or is outside of the subset."""
    tree = syntax.parse(text)
    return Expression(text, compiled(tree), _says(tree, "%context"))


def _says(tree: Any, name: str) -> bool:
    """Tell whether a ``%`` name stands anywhere in a tree."""
    if isinstance(tree, syntax.Variable):
        return tree.name == name
    return isinstance(tree, tuple) and any(_says(part, name) for part in tree)


def compiled(tree: Any) -> Run:
    """Compile one part of a tree. Raises NotFhirPath."""
    run = _COMPILERS[type(tree)](tree)
    return _kept(run) if _is_the_same(tree) and not isinstance(tree, syntax.Variable) else run


def _is_the_same(tree: Any) -> bool:
    """Tell whether a part of a tree starts from ``%`` names only, whatever ``$this`` is."""
    match tree:
        case syntax.Variable(name):
            return not name.startswith("$")
        case syntax.Name(target, _) | syntax.Indexed(target, syntax.Literal()):
            return target is not None and _is_the_same(target)
        case syntax.Call(target, name, arguments) if name not in ITERATIONS:
            plain = all(isinstance(one, syntax.Literal) for one in arguments)
            return target is not None and plain and _is_the_same(target)
        case syntax.Binary(_, left, syntax.Literal()):
            return _is_the_same(left)
    return False


def _kept(run: Run) -> Run:
    """Run once in an evaluation, whatever the number of items that ask for it."""
    name = object()

    def once(scope: Scope) -> Items:
        found = scope.variables.get(name)
        if found is None:
            found = scope.variables[name] = Kept(run(scope))
        return found

    return once


def _literal(tree: syntax.Literal) -> Run:
    items = list(tree.items)
    return lambda scope: items


def _name(tree: syntax.Name) -> Run:
    name = tree.name
    if tree.target is not None:
        inner = compiled(tree.target)
        return lambda scope: [one for item in inner(scope) for one in child(item, name)]

    def run(scope: Scope) -> Items:
        found: Items = []
        for item in scope.this:
            if type(item) is Node and name[0].isupper() and name in lineage(item.kind):
                found.append(item)
            else:
                found += child(item, name)
        return found

    return run


def _variable(tree: syntax.Variable) -> Run:
    name = tree.name
    if name == "$this":
        return lambda scope: scope.this
    if name == "$index":
        return lambda scope: [scope.place]
    if name == "$total":
        return lambda scope: scope.total
    if name not in KNOWN:
        raise NotFhirPath(f"unknown variable {name}")
    return lambda scope: scope.variables[name]


def _indexed(tree: syntax.Indexed) -> Run:
    target, index = compiled(tree.target), compiled(tree.index)

    def run(scope: Scope) -> Items:
        place = whole(index(scope))
        return target(scope)[place : place + 1] if place >= 0 else []

    return run


def _sign(tree: syntax.Sign) -> Run:
    operand, factor = compiled(tree.operand), -1 if tree.sign == "-" else 1

    def run(scope: Scope) -> Items:
        value = single(operand(scope))
        if value is None:
            return []
        if isinstance(value, Quantity):
            return [Quantity(factor * value.value, value.unit)]
        if isinstance(value, bool | str | Node | tuple):
            raise CannotEvaluate("a number is wanted")
        return [factor * value]

    return run


def _binary(tree: syntax.Binary) -> Run:
    left = compiled(tree.left)
    if tree.operator in ("is", "as"):
        return _typed(tree.operator, left, tree.right)
    right = compiled(tree.right)
    if tree.operator in _LOGIC:
        return _LOGIC[tree.operator](left, right)
    act = OPERATORS[tree.operator]
    return lambda scope: act(left(scope), right(scope))


def _typed(name: str, target: Run, kind: str) -> Run:
    """``is`` asks for one item, ``as`` and ``ofType`` keep those of the type."""
    if not is_type(kind):
        raise NotFhirPath(f"no type {kind}")
    if name != "is":
        return lambda scope: [item for item in target(scope) if is_as(item, kind)]

    def run(scope: Scope) -> Items:
        items = target(scope)
        if len(items) > 1:
            raise CannotEvaluate("one value is wanted")
        return [is_of(item, kind) for item in items]

    return run


def _and(left: Run, right: Run) -> Run:
    def run(scope: Scope) -> Items:
        one = truth(left(scope))
        if one is False:
            return [False]
        other = truth(right(scope))
        return [False] if other is False else [True] if one and other else []

    return run


def _or(left: Run, right: Run) -> Run:
    def run(scope: Scope) -> Items:
        one = truth(left(scope))
        if one:
            return [True]
        other = truth(right(scope))
        return [True] if other else [] if one is None or other is None else [False]

    return run


def _xor(left: Run, right: Run) -> Run:
    def run(scope: Scope) -> Items:
        one, other = truth(left(scope)), truth(right(scope))
        return [] if one is None or other is None else [one != other]

    return run


def _implies(left: Run, right: Run) -> Run:
    def run(scope: Scope) -> Items:
        one = truth(left(scope))
        if one is False:
            return [True]
        other = truth(right(scope))
        return [True] if other else [] if one is None or other is None else [False]

    return run


_LOGIC: dict[str, Callable[[Run, Run], Run]] = {
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
}


def _call(tree: syntax.Call) -> Run:
    name = tree.name
    target: Run = (lambda scope: scope.this) if tree.target is None else compiled(tree.target)
    if name in ("is", "as", "ofType"):
        if len(tree.arguments) != 1:
            raise NotFhirPath(f"{name}() takes a type")
        return _typed(name, target, _type_name(tree.arguments[0]))
    arguments = [compiled(argument) for argument in tree.arguments]
    iteration = ITERATIONS.get(name)
    if iteration is not None:
        _demand_count(name, len(arguments), iteration.least, iteration.most)
        act = iteration.act
        return lambda scope: act(scope, target(scope), *arguments)
    function = FUNCTIONS.get(name)
    if function is None:
        raise NotFhirPath(f"function {name}() is not compiled here")
    _demand_count(name, len(arguments), function.least, function.most)
    plain = function.act
    return lambda scope: plain(target(scope), *(one(scope) for one in arguments))


def _demand_count(name: str, count: int, least: int, most: int) -> None:
    if not least <= count <= most:
        raise NotFhirPath(f"{name}() does not take {count} arguments")


def _type_name(tree: Any) -> str:
    """Read an argument that names a type: ``Patient`` or ``FHIR.Patient``."""
    if isinstance(tree, syntax.Name):
        space = "" if tree.target is None else _type_name(tree.target) + "."
        return space + tree.name
    raise NotFhirPath("a type is wanted")


_COMPILERS: dict[type, Callable[[Any], Run]] = {
    syntax.Literal: _literal,
    syntax.Name: _name,
    syntax.Variable: _variable,
    syntax.Indexed: _indexed,
    syntax.Sign: _sign,
    syntax.Binary: _binary,
    syntax.Call: _call,
}
