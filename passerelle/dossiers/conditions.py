"""Conditions: what criteria designate now, and the expectation that they still do at the commit.

https://hl7.org/fhir/R4/http.html#ccreate
"""

from urllib.parse import urlencode

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.search_terms import parsed
from passerelle.errors.refusals import PreconditionFailed
from passerelle.errors.rules import issue
from passerelle.fhir.search.language.criterion import Clause
from passerelle.fhir.search.query import Query, parse_criteria
from passerelle.fhir.search.query_values import TokenValue
from passerelle.store.caller import Caller
from passerelle.store.contract import Expectation


async def condition(gateway: Gateway, caller: Caller, type: str, criteria: str) -> Query:
    """Understand criteria of a type; what they ask of terminology is asked now. Raises Invalid."""
    return await parsed(
        gateway,
        caller,
        lambda terms: parse_criteria(
            type, criteria, gateway.base_url, terms, registry=gateway.store.parameters.registry
        ),
    )


async def one_designated(gateway: Gateway, caller: Caller, query: Query) -> tuple[str, ...]:
    """Give the id that a condition designates, or none. Raises PreconditionFailed for several."""
    ids = await gateway.store.matching(query, caller, limit=2)
    if len(ids) > 1:
        raise PreconditionFailed(issue("record.several-match", query.type))
    return ids


def expect(query: Query, ids: tuple[str, ...]) -> Expectation:
    """Make the expectation that a condition still designates those ids at the commit.

    Conditions that name a business identifier exclude each other by its value, whatever else they
    say and whether or not they name its system.
    """
    pairs = sorted(pair for pair in query.self_pairs() if pair[0] != "_count")
    named = {
        value.code
        for clause in query.clauses
        if isinstance(clause, Clause) and clause.name == "identifier"
        for value in clause.values
        if isinstance(value, TokenValue) and value.code
    }
    return Expectation(query, ids, f"{query.type}?{urlencode(pairs)}", tuple(sorted(named)))
