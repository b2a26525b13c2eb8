"""The nodes that a search parameter leads to, by a whole FHIRPath engine (fhirpathpy).

The words of R4 that the engine does not take are put in its own; see
``tests/fhir/test_parameter_corpus.py``.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

from passerelle.fhir.search.search_parameters import Parameter

Resource = dict[str, Any]

_RESOLVES = re.compile(r"\.where\(resolve\(\) is (?P<type>\w+)\)")
_REWRITTEN = (
    (re.compile(r"\((?P<path>[\w.]+) as (?P<type>\w+)\)"), r"\g<path>.ofType(\g<type>)"),
    (re.compile(r"\.as\((?P<type>\w+)\)"), r".ofType(\g<type>)"),
    # R4 writes the type so in one component (Observation-code-value-date).
    (re.compile(r"\.ofType\(DateTime\)"), ".ofType(dateTime)"),
    (re.compile(r"hasExtension\((?P<url>'[^']*')\)"), r"extension(\g<url>).exists()"),
)


@cache
def _compiled(part: str) -> tuple[Callable[[Any], list[Any]], str | None]:
    """Give one alternative to the engine, and the type that its references must lead to."""
    resolves = _RESOLVES.search(part)
    for pattern, written in _REWRITTEN:
        part = pattern.sub(written, part)
    part = _RESOLVES.sub("", part)
    evaluate: Any = fhirpathpy.compile(part, models["r4"])
    return evaluate, resolves["type"] if resolves else None


def leads_to(reference: Any) -> str | None:
    """Tell the type that a Reference names, in its address or by itself."""
    if not isinstance(reference, dict):
        return None
    parts = str(reference.get("reference", "")).split("/_history/")[0].split("/")
    return parts[-2] if len(parts) > 1 else reference.get("type")


def _may_be(reference: Any, wanted: str) -> bool:
    """Tell whether a Reference leads to a type; an identifier alone may lead to any."""
    if isinstance(reference, dict) and reference.keys() & {"reference", "type"}:
        return leads_to(reference) == wanted
    return isinstance(reference, dict) and "identifier" in reference


def _evaluated(expression: str, resource: Resource) -> list[Any]:
    found: list[Any] = []
    # `_text` and `_content` lead nowhere.
    for part in expression.split(" | ") if expression else ():
        # The engine does not know of every type that it is a Resource.
        evaluate, wanted = _compiled(part.strip().removeprefix("Resource."))
        found += [n for n in evaluate(resource) if wanted is None or _may_be(n, wanted)]
    return found


def _within(base: str, number: int, part: str) -> str:
    """Spell what a component leads to from one element; some start from the resource again."""
    type = base.lstrip("(").partition(".")[0]
    if part.startswith("%resource."):
        return part.replace("%resource", type)
    return f"({base})[{number}].{part}"


class Nodes:
    """What parameters lead to in one world, each evaluated once."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, int], list[Any]] = {}

    def of(self, parameter: Parameter, resource: Resource) -> list[Any]:
        """Give the nodes of a parameter."""
        key = (parameter.id, id(resource))
        if key not in self.known:
            self.known[key] = _evaluated(parameter.expression, resource)
        return self.known[key]

    def components(self, parameter: Parameter, resource: Resource) -> list[list[list[Any]]]:
        """Give, of each element that a composite leads to, the nodes of each component."""
        found: list[list[list[Any]]] = []
        for base in parameter.expression.split(" | "):
            for number in range(len(_evaluated(base, resource))):
                found.append(
                    [
                        [
                            node
                            for part in component.expression.split(" | ")
                            for node in _evaluated(_within(base, number, part), resource)
                        ]
                        for component in parameter.components
                    ]
                )
        return found
