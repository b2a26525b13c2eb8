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
