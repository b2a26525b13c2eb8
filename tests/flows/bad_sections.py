"""The requests of the table of bad input, by what they are about."""

from tests.flows.bad_dossiers import PUSHES, SENDS
from tests.flows.bad_input import Case
from tests.flows.bad_language import HISTORIES, LANGUAGE
from tests.flows.bad_operations import CODED, OPERATIONS
from tests.flows.bad_patches import DELETES, PATCHES
from tests.flows.bad_requests import ADDRESSES, ENTRIES
from tests.flows.bad_searches import SEARCHES
from tests.flows.bad_xml import ELEMENTS

SECTIONS: tuple[tuple[str, tuple[Case, ...]], ...] = (
    ("Addresses and conditions", ADDRESSES),
    ("FHIR XML", ELEMENTS),
    ("Patches", PATCHES),
    ("Conditional deletes", DELETES),
    ("Transactions", ENTRIES),
    ("Operations", OPERATIONS),
    ("Bytes, ranges and codings", CODED),
    ("Dossiers, in strict handling", PUSHES),
    ("Sendings", SENDS),
    ("Searches, in strict handling", SEARCHES),
    ("The wider language of searches, in strict handling", LANGUAGE),
    ("Histories, in strict handling", HISTORIES),
)
