"""A compiled FHIRPath expression, and what it sees while it runs.

http://hl7.org/fhirpath/N1/#environment-variables , https://hl7.org/fhir/R4/fhirpath.html#variables
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from passerelle.fhir.fhirpath.nodes import UCUM, Items, Node
from passerelle.fhir.fhirpath.operators import CannotEvaluate

VARIABLES: dict[str, Items] = {
    "%ucum": [UCUM],
    "%sct": ["http://snomed.info/sct"],
    "%loinc": ["http://loinc.org"],
}
KNOWN = frozenset({*VARIABLES, "%resource", "%rootResource", "%context"})


class Scope(NamedTuple):
    """What an expression sees while it runs: its focus, where it is, what ``%`` names mean."""

    this: Items
    variables: dict[Any, Items]
    place: int = 0
    total: Items = []  # noqa: RUF012 -- never written to


Run: TypeAlias = Callable[[Scope], Items]


Surroundings: TypeAlias = dict[Any, Items]
"""What the ``%`` names mean, and what was found from them alone."""


def surroundings(resource: Node, root: Node | None = None) -> Surroundings:
    """Give what expressions see around the elements of a resource; those that do not speak of
    ``%context`` may share it: what is the same for all elements is then found once.
    """
    holder = resource if root is None else root
    return {**VARIABLES, "%resource": [resource], "%rootResource": [holder]}


class Expression(NamedTuple):
    """A compiled expression and its text."""

    text: str
    run: Run
    says_context: bool = True

    def evaluate(
        self,
        node: Node,
        *,
        resource: Node | None = None,
        root: Node | None = None,
        within: Surroundings | None = None,
    ) -> Items:
        """Give what the expression finds from a node.

        ``resource`` is the resource that the node is in, ``root`` the one that holds that (both
        the node itself by default); ``within`` is what was made for others of that resource.
        Raises CannotEvaluate when it means nothing for this input.
        """
        if within is None or self.says_context:
            within = surroundings(node if resource is None else resource, root)
            within["%context"] = [node]
        variables = within
        try:
            return self.run(Scope([node], variables))
        except (RecursionError, ArithmeticError):
            raise CannotEvaluate("beyond what is computed") from None
