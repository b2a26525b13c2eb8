"""Terminology resources at hand, for tests of what is made of them."""

from passerelle.fhir.terminology import canonicals
from passerelle.fhir.terminology.code_system import CodeSystem
from passerelle.fhir.terminology.term_source import ValueSetFound


class InMemory:
    """A TermSource of a few resources."""

    def __init__(self, *resources):
        self.resources = resources

    def _of(self, type, canonical):
        found = [
            each
            for each in self.resources
            if each["resourceType"] == type and each["url"] == canonical.url
        ]
        return canonicals.best(found, canonical.version)

    async def code_system(self, canonical, *, as_of=None):
        found = self._of("CodeSystem", canonical)
        return None if found is None else CodeSystem(found)

    async def value_set(self, canonical):
        found = self._of("ValueSet", canonical)
        return None if found is None else ValueSetFound(found)

    async def concept_maps(self, *, canonical=None, **ends):
        found = None if canonical is None else self._of("ConceptMap", canonical)
        return () if found is None else (found,)
