"""What a package brought is the package's: clients read it, and write resources of their own.

docs/decisions/2611-packages-in-the-record.md . What was published under a canonical and a version
stays what it was: it changes when packages are added and removed, and in no other way.
https://hl7.org/fhir/R4/http.html#update lets a server refuse.
"""

from collections.abc import Mapping, Sequence

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.rights_columns import PACKAGE
from passerelle.errors.refusals import Forbidden, Issue, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.packages.package_reading import SERVED
from passerelle.fhir.resource import Key
from passerelle.store.contract import Delete, Put

READ_ONLY = "package.read-only"
TAG_RESERVED = "package.tag-reserved"


def key_of(write: Put | Delete) -> Key:
    """Give the key that a write is about."""
    return write.draft.key if isinstance(write, Put) else write.key


async def faults(gateway: Gateway, writes: Sequence[Put | Delete]) -> Mapping[int, Issue]:
    """Give what is wrong with writes of clients, by their number.

    Those of types that no package brings cost nothing.
    """
    keys = {number: key_of(write) for number, write in enumerate(writes)}
    conforming = {number: key for number, key in keys.items() if key.type in SERVED}
    if not conforming:
        return {}
    brought = await gateway.store.packages.brought(tuple(conforming.values()))
    found: dict[int, Issue] = {}
    for number, key in conforming.items():
        write = writes[number]
        if key in brought:
            found[number] = issue(READ_ONLY, key.type)
        elif isinstance(write, Put) and write.draft.rights.element == PACKAGE:
            found[number] = issue(TAG_RESERVED, f"{key.type}.meta.tag")
    return found


async def demand(gateway: Gateway, writes: Sequence[Put | Delete]) -> None:
    """Raise Forbidden where a package brought what is written, Unprocessable for its tag."""
    found = tuple((await faults(gateway, writes)).values())
    if any(said.rule == READ_ONLY for said in found):
        raise Forbidden(*dict.fromkeys(found))
    if found:
        raise Unprocessable(*found)
