"""`$document`: a Composition and all that it refers to, as one Bundle.

https://hl7.org/fhir/R4/composition-operation-document.html ,
https://hl7.org/fhir/R4/documents.html#content
"""

import base64

from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.bundles.bundle import Found
from passerelle.fhir.bundles.document import document as join
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.reference_places import Reference, references
from passerelle.fhir.resource import Key, Resource
from passerelle.store.contract import Version

RESOURCES_MAX = 1000
BYTES_MAX = 32 * 1024 * 1024
DEPTH_MAX = 6
"""How far references are followed from the Composition."""


async def document(repository: Repository, key: Key) -> bytes:
    """Give the document of a Composition: itself first, then what it refers to, near to far.

    Raises NotFound or Gone, Unprocessable when something that the Composition itself names is not
    there (a document is whole) or when all together is too large.
    """
    gathered = _Gathering(repository)
    await gathered.start(key)
    for depth in range(DEPTH_MAX):
        if not await gathered.follow(demanded=depth == 0):
            break
    gateway = repository.gateway
    return join(gateway.base_url, gathered.entries, identifier=gateway.new_id(), at=gateway.clock())


class _Gathering:
    """The entries so far, and the references that are to be followed next."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.entries: list[Found] = []
        self.seen: set[Key] = set()
        self.size = 0
        self.waiting: list[Reference] = []

    async def start(self, key: Key) -> None:
        """Take the Composition."""
        await self._take(await self.repository.read(key))

    async def follow(self, *, demanded: bool) -> bool:
        """Take what the last ones refer to; tell whether there is more to follow.

        ``demanded``: what is not there is refused, with the place of each reference to it.
        """
        fresh = {
            each.key: each
            for each in reversed(self.waiting)
            if each.key not in self.seen and each.key.type in resource_types()
        }
        self.waiting = []
        wanted = list(reversed(fresh))
        if len(self.entries) + len(wanted) > RESOURCES_MAX:
            raise _too_large()
        gateway, caller = self.repository.gateway, self.repository.caller
        found = await gateway.store.read_many(wanted, caller)
        there = [found[key] for key in wanted if key in found and found[key].body is not None]
        if demanded and len(there) < len(wanted):
            present = {version.key for version in there}
            missing = [fresh[key].path for key in wanted if key not in present]
            raise Unprocessable(*(issue("operation.document-lacks", path) for path in missing))
        for version in there:
            await self._take(version)
        return bool(self.waiting)

    async def _take(self, version: Version) -> None:
        body = version.body or b"{}"
        resource = json_text.decode(body)
        if version.blob is not None:
            body = await self._with_bytes(resource, version.blob)
        self.size += len(body)
        if self.size > BYTES_MAX:
            raise _too_large()
        self.seen.add(version.key)
        self.entries.append(Found(version.key, body))
        self.waiting += references(resource, self.repository.gateway.base_url)

    async def _with_bytes(self, resource: Resource, blob: str) -> bytes:
        """Give a Binary with its bytes, as a resource has them."""
        parts: list[bytes] = []
        size = self.size
        async for chunk in self.repository.gateway.store.blob(blob):
            size += len(chunk) * 4 // 3
            if size > BYTES_MAX:
                raise _too_large()
            parts.append(chunk)
        data = base64.b64encode(b"".join(parts)).decode()
        return json_text.encode(resource | ({"data": data} if data else {}))


def _too_large() -> Unprocessable:
    return Unprocessable(
        issue("operation.document-too-large", count=RESOURCES_MAX, size=BYTES_MAX // 1024**2)
    )
