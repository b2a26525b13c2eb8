"""What searches ask of terminology: ``:in``, ``:not-in``, ``:above``, ``:below``.

https://hl7.org/fhir/R4/search.html#modifiers . A search is understood without waiting for anything;
what it needs of terminology is fetched when it asks, and the search is then read again.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Literal, NamedTuple, TypeAlias

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.terminology import Named, Terms
from passerelle.errors.refusals import Invalid, NotFound, Unavailable, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Key
from passerelle.fhir.search.language.terminology import Code
from passerelle.fhir.search.query import Query
from passerelle.fhir.search.registry import Registry
from passerelle.fhir.terminology.canonicals import parse
from passerelle.fhir.terminology.code_system import CodeSystem
from passerelle.store.caller import Caller

QUESTIONS_MAX = 100
"""Value sets and codes that one search may ask of."""

Codes: TypeAlias = frozenset[Code] | None


class _Question(NamedTuple):
    """A value set (in ``system``), or a code and which way to go from it."""

    kind: Literal["in", "above", "below"]
    system: str
    code: str = ""


class Needed(Exception):
    """A search asks of terminology what has not been fetched yet."""

    def __init__(self, question: _Question) -> None:
        super().__init__(question.kind)
        self.question = question


class FetchedTerms:
    """A :class:`passerelle.fhir.search.language.terminology.Terminology` of what was fetched.

    Each method raises Needed for what was not.
    """

    def __init__(self) -> None:
        self._known: dict[_Question, Codes] = {}

    def expansion(self, value_set: str) -> Collection[Code] | None:
        """Give the codes of a value set: ``url``, ``url|version`` or ``ValueSet/id``."""
        return self._answer(_Question("in", value_set))

    def above(self, system: str, code: str) -> Collection[Code] | None:
        """Give a code and all that take it in."""
        return self._answer(_Question("above", system, code))

    def below(self, system: str, code: str) -> Collection[Code] | None:
        """Give a code and all that it takes in."""
        return self._answer(_Question("below", system, code))

    def learn(self, question: _Question, codes: Codes) -> None:
        """Keep what was fetched."""
        self._known[question] = codes

    def _answer(self, question: _Question) -> Codes:
        if question not in self._known:
            raise Needed(question)
        return self._known[question]


async def parsed(gateway: Gateway, caller: Caller, read: Callable[[FetchedTerms], Query]) -> Query:
    """Read a search that may ask of terminology.

    ``read`` is a pure reading, begun again when something had to be fetched, and when it met a
    name that another process may just have added or taken away as a search parameter. Raises what
    it raises, and Invalid when it asks for too much.
    """
    fetched = FetchedTerms()
    terms = Terms(gateway, caller)
    looked = False
    for _ in range(QUESTIONS_MAX):
        known = gateway.store.parameters.registry
        try:
            query = read(fetched)
        except Needed as needed:
            fetched.learn(needed.question, await _fetch(terms, needed.question))
            continue
        except Invalid:
            if looked or not await _changed(gateway, known):
                raise
        else:
            certain = looked or not (query.ignored or query.asks_added)
            if certain or not await _changed(gateway, known):
                return query
        looked = True
    raise Invalid(issue("terminology.too-costly", limit=QUESTIONS_MAX))


async def _changed(gateway: Gateway, known: Registry) -> bool:
    """Look whether the search parameters are other ones; a record that is away says so itself."""
    with suppress(Unavailable):
        await gateway.store.parameters.refresh(now=True)
    return gateway.store.parameters.registry is not known


async def _fetch(terms: Terms, question: _Question) -> Codes:
    """Give the codes; None when what is asked of is not here, or cannot be computed."""
    try:
        if question.kind == "in":
            return await _members(terms, question.system)
        system = await terms.code_system(Named(canonical=parse(question.system)))
    except (Invalid, NotFound, Unprocessable):
        return None
    return _reach(system, question)


async def _members(terms: Terms, value_set: str) -> Codes:
    named = Named(canonical=parse(value_set))
    if value_set.startswith("ValueSet/"):
        named = Named(key=Key("ValueSet", value_set.removeprefix("ValueSet/")))
    _, expansion = await terms.value_set(named)
    return None if expansion.unresolved else frozenset(expansion.members)


def _reach(system: CodeSystem, question: _Question) -> Codes:
    concept = system.find(question.code)
    if concept is None:
        return None
    reach = system.ancestors if question.kind == "above" else system.descendants
    return frozenset((system.url, code) for code in reach(concept.code) | {concept.code})
