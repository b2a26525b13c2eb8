"""Whether the bytes at an address are still those of a document in force.

https://profiles.ihe.net/ITI/MHD/ITI-68.html (2:3.68.4.2.2): what is deprecated is answered 410.
A document that was replaced or withdrawn stays in the record: its reference, the Binary as a
resource and every version of it are read as before; only the bytes at the address that a document
gives are no longer handed out.
"""

from urllib.parse import quote

from passerelle.dossiers.conditions import condition
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Gone
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Key
from passerelle.store.caller import Caller

TYPE = "DocumentReference"


async def demand(gateway: Gateway, caller: Caller, binary: Key) -> None:
    """Raise Gone when all documents that lead to a Binary were replaced or withdrawn.

    Bytes that no document leads to are none's, and are given.
    """
    addresses = ",".join((str(binary), f"{gateway.base_url}/{binary}"))
    place = f"location={quote(addresses, safe=',')}"
    if await _some(gateway, caller, f"{place}&status=current"):
        return
    if await _some(gateway, caller, place):
        raise Gone(issue("document.out-of-force"))


async def _some(gateway: Gateway, caller: Caller, criteria: str) -> bool:
    query = await condition(gateway, caller, TYPE, criteria)
    return bool(await gateway.store.matching(query, caller, limit=1))
