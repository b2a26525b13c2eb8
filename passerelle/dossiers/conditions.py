"""Conditions: what criteria designate now, and the expectation that they still do at the commit.

https://hl7.org/fhir/R4/http.html#ccreate
"""

from urllib.parse import urlencode

from passerelle.fhir.search.query import Query
from passerelle.store.contract import Expectation


def expect(query: Query, ids: tuple[str, ...]) -> Expectation:
    """Make the expectation that a condition still designates those ids at the commit.

    Conditions that name a business identifier exclude each other by it, whatever else they say.
    """
    pairs = [pair for pair in query.self_pairs() if not pair[0].startswith("_count")]
    named = sorted(pair for pair in pairs if pair[0] == "identifier") or sorted(pairs)
    return Expectation(query, ids, lock=f"{query.type}?{urlencode(named)}")
