"""What became of one entry of a batch or a transaction.

https://hl7.org/fhir/R4/http.html#transaction-response
"""

from dataclasses import dataclass

from passerelle.errors.refusals import Issue
from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import Query
from passerelle.store.contract import Page, Version


@dataclass(frozen=True, slots=True)
class EntryAnswer:
    """Status, the version it is about (or the page of a search), and what there is to say."""

    status: int
    key: Key | None = None
    version: Version | None = None
    outcome: tuple[Issue, ...] = ()
    page: Page | None = None
    query: Query | None = None
