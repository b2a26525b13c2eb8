"""The requests of the table of bad input, by what they are about."""

from tests.flows.bad_dossiers import PUSHES, SENDS
from tests.flows.bad_input import Case
from tests.flows.bad_requests import ADDRESSES, ENTRIES
from tests.flows.bad_searches import SEARCHES
from tests.flows.bad_xml import ELEMENTS

SECTIONS: tuple[tuple[str, tuple[Case, ...]], ...] = (
    ("Addresses and conditions", ADDRESSES),
    ("FHIR XML", ELEMENTS),
    ("Transactions", ENTRIES),
    ("Dossiers, in strict handling", PUSHES),
    ("Sendings", SENDS),
    ("Searches, in strict handling", SEARCHES),
)
