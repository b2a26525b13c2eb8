"""Chains and `_has`, drawn along the references that the resources of a world really have.

https://hl7.org/fhir/R4/search.html#chaining , https://hl7.org/fhir/R4/search.html#has
"""

from passerelle.fhir.search.search_parameters import Parameter, parameters
from tests.oracle.criteria import Criterion, link_of, named
from tests.oracle.plain_searches import PlainSearches

DEPTH_MAX = 4
"""Links of a chain, one after another."""

CHAINS = 0.25
"""How often a chain goes on."""


class LinkSearches(PlainSearches):
    """Draws what stands behind references."""

    def chained(self, type: str, depth: int = 0) -> Criterion | None:
        """Draw a chain to a type of this world that some resource leads to."""
        made = self.link(type)
        if made is None or depth > DEPTH_MAX:
            return None
        parameter, target = made
        inner = self.inner(target, depth + 1)
        only = parameter.targets == (target,)
        link = parameter.code if only else f"{parameter.code}:{target}"
        return named(f"{link}.{inner.name}", inner.text, link_of("chain", inner))

    def inner(self, type: str, depth: int) -> Criterion:
        """Draw what stands at the end of a link: a criterion, or another link."""
        if self.random.random() < CHAINS:
            return self.chained(type, depth) or self.plain(type)
        if self.random.random() < 0.2:
            return self.reverse(type, depth) or self.plain(type)
        return self.plain(type)

    def link(self, type: str) -> tuple[Parameter, str] | None:
        """Choose a reference that some resource of a type has, and the type it leads to."""
        alike = [r for r in self.world.alive if r["resourceType"] == type]
        found = [
            (parameter, target["resourceType"])
            for parameter in parameters(type).values()
            if parameter.kind == "reference"
            for resource in alike
            for target in self.world.targets(resource, parameter, "")
        ]
        return self.random.choice(found) if found else None

    def reverse(self, type: str, depth: int = 0) -> Criterion | None:
        """Draw a `_has` of a type that leads here."""
        if depth > DEPTH_MAX:
            return None
        sources = self.random.sample(self.types, len(self.types))
        for source in sources:
            made = self.link(source)
            if made is not None and made[1] == type:
                inner = self.inner(source, depth + 1)
                name = f"_has:{source}:{made[0].code}:{inner.name}"
                return named(name, inner.text, link_of("_has", inner))
        return None
