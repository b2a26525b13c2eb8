"""One criterion of a search: a parameter, its modifier, its values, its chain.

https://hl7.org/fhir/R4/search.html#modifiers , https://hl7.org/fhir/R4/search.html#chaining
"""

from dataclasses import dataclass

from passerelle.fhir.query_values import Value
from passerelle.fhir.search_parameters import Parameter


@dataclass(frozen=True, slots=True)
class Clause:
    """``name=text`` understood. The values are alternatives; clauses are joined by AND.

    ``modifier`` is empty, ``exact``, ``contains``, ``missing``, ``not`` … or a resource type on a
    reference. ``chain`` holds the inner criterion for each type that the reference may lead to;
    ``values`` is empty then.
    """

    name: str
    text: str
    parameter: Parameter
    modifier: str = ""
    values: tuple[Value, ...] = ()
    chain: tuple["Clause", ...] = ()
