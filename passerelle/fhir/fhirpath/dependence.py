"""What an expression asks of the element it is evaluated on: which elements directly below.

Where none of them is there, the answer is that for an empty element, and nothing has to be run.
"""

from typing import Any

from passerelle.fhir.fhirpath import syntax
from passerelle.fhir.fhirpath.iteration import ITERATIONS
from passerelle.fhir.fhirpath.nodes import places

CONSTANTS = frozenset({"%ucum", "%sct", "%loinc"})


def names_asked(tree: Any) -> frozenset[str] | None:
    """Give the names of the elements that a tree asks for; None when it asks for anything else."""
    match tree:
        case syntax.Literal():
            return frozenset()
        case syntax.Variable(name):
            return frozenset() if name in CONSTANTS else None
        case syntax.Name(None, name):
            return None if name[0].isupper() else frozenset({name})
        case syntax.Name(target, _):
            return names_asked(target)
        case syntax.Sign(_, operand):
            return names_asked(operand)
        case syntax.Binary("is" | "as", left, _):
            return names_asked(left)
        case syntax.Binary(_, left, right) | syntax.Indexed(left, right):
            return _together(left, right)
        case syntax.Call(target, "is" | "as" | "ofType", _):
            return None if target is None else names_asked(target)
        case syntax.Call(target, name, arguments) if target is not None:
            if name in ITERATIONS:  # the arguments speak of the items, not of the element
                plain = not any(map(_goes_outside, arguments))
                return names_asked(target) if plain else None
            return _together(target, *arguments)
    return None


def sparing(tree: Any) -> tuple[frozenset[str], ...]:
    """Give sets of names: where none of a set is there, the tree is true, or has no answer at all.

    So of ``type != 'display' or code.empty()``: without ``code`` there is nothing to run.
    """
    match tree:
        case syntax.Binary("or", left, right):
            return (*sparing(left), *sparing(right))
        case syntax.Binary("implies", left, right):
            return (*_refuting(left), *sparing(right))
        case syntax.Binary("and", left, right):
            return tuple(one | other for one in sparing(left) for other in sparing(right))
        case syntax.Call(target, "empty" | "isDistinct", ()) | syntax.Call(target, "all", (_,)):
            return _of_path(target)
        case syntax.Call(target, "not", ()):
            return _refuting(target)
    return ()


def _refuting(tree: Any) -> tuple[frozenset[str], ...]:
    """Give sets of names: where none of a set is there, the tree is false."""
    match tree:
        case syntax.Binary("or", left, right):
            return tuple(one | other for one in _refuting(left) for other in _refuting(right))
        case syntax.Binary("and", left, right):
            return (*_refuting(left), *_refuting(right))
        case syntax.Call(target, "exists", (*_,)):
            return _of_path(target)
        case syntax.Call(target, "not", ()):
            return sparing(target) if _is_sure(target) else ()
    return ()


def _is_sure(tree: Any) -> bool:
    """Tell whether a tree is true or false whatever it is asked of."""
    return isinstance(tree, syntax.Call) and tree.name in ("empty", "exists", "isDistinct")


def _of_path(tree: Any) -> tuple[frozenset[str], ...]:
    """Give the first name of a path of names, functions and filters; without it there is nothing.

    ``select``, ``where`` and the like of nothing are nothing, whatever they ask.
    """
    match tree:
        case syntax.Name(None, name):
            return () if name[0].isupper() else (frozenset({name}),)
        case syntax.Name(target, _) | syntax.Call(
            target, "where" | "select" | "first" | "ofType", _
        ):
            return () if target is None else _of_path(target)
    return ()


def _together(*trees: Any) -> frozenset[str] | None:
    asked = [names_asked(tree) for tree in trees]
    return None if None in asked else frozenset().union(*(names for names in asked if names))


def _goes_outside(tree: Any) -> bool:
    """Tell whether a part of an iteration speaks of anything but its items."""
    if isinstance(tree, syntax.Variable):
        return tree.name not in CONSTANTS and tree.name != "$this"
    return isinstance(tree, tuple) and any(map(_goes_outside, tree))


def json_names(kind: str, names: frozenset[str]) -> frozenset[str]:
    """Give the JSON names under which elements of a type stand, their ``_`` siblings too."""
    found = {place.name for name in names for place in places(kind).get(name, ())}
    return frozenset(found | {"_" + name for name in found})
