"""A dossier as it stands in the record: its resources, read together, with what they rest on."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.rights_columns import dossier_column
from passerelle.errors.refusals import Conflict, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.urls import SENDING_SYSTEM
from passerelle.ins.withholding import rejoin
from passerelle.mappers.native.dossier_naming import own_uuid
from passerelle.store.caller import Caller
from passerelle.store.contract import Version

RESTS_ON = ("Patient", "Practitioner", "Organization")
"""Types that several dossiers share: they are found by reference, not by the dossier's tag."""

REFERENCE = re.compile(rb'"reference":"(%s)/([A-Za-z0-9\-.]{1,64})"' % "|".join(RESTS_ON).encode())
"""A local reference to one of them in a body as kept: our own JSON, which holds no such text but as
a member (a quote inside a text stands behind a backslash)."""

ROOTS = ("EpisodeOfCare", "CareTeam")
"""Types of which the dossier's own identifier names one each."""

SENDING = b'"%s"' % SENDING_SYSTEM.encode()
"""What the identifier of a sending of secure mail has in a body as kept: such a Communication bears
the dossier's tag as well, and is no part of the native form.
"""


@dataclass(frozen=True, slots=True)
class DossierRecord:
    """The versions of one dossier's resources: tagged ones in order, then what they rest on."""

    tagged: tuple[Version, ...]
    shared: tuple[Version, ...]
    seq: int | None  # of the newest tagged one, as the commit compares it

    tag: str

    @property
    def root(self) -> Version | None:
        """Give the EpisodeOfCare that is named by the dossier; in older records, the CareTeam."""
        held = {version.key: version for version in self.tagged}
        return next((held[key] for key in root_keys(self.tag) if key in held), None)

    @property
    def versions(self) -> tuple[Version, ...]:
        """Give all versions that the native form is read from.

        An EpisodeOfCare or CareTeam that somebody else tagged with the dossier is none of it.
        """
        roots = root_keys(self.tag)
        return (
            *(
                version
                for version in self.tagged
                if version.key in roots
                or (version.key.type not in ROOTS and is_of_the_form(version))
            ),
            *self.shared,
        )

    @property
    def newest_tx(self) -> int:
        """Give the last transaction that wrote the dossier's own resources or its Patient."""
        own = (version for version in self.tagged if is_of_the_form(version))
        patients = (version for version in self.shared if version.key.type == "Patient")
        return max((version.tx for version in (*own, *patients)), default=0)

    @property
    def etag(self) -> str:
        """Give an opaque tag that changes when any resource of the dossier does."""
        digest = blake2b(digest_size=8)
        for version in sorted(self.versions, key=lambda v: v.key):
            digest.update(f"{version.key}/{version.version};".encode())
        return digest.hexdigest()


def is_of_the_form(version: Version) -> bool:
    """Tell whether a tagged resource may be part of the native form: sendings are not."""
    return version.key.type != "Communication" or SENDING not in (version.body or b"")


def root_keys(tag: str) -> tuple[Key, ...]:
    """Give the keys of the EpisodeOfCare and the CareTeam of a dossier (``system|value``)."""
    system, _, value = tag.partition("|")
    return tuple(Key(type_, str(own_uuid(type_, system, value))) for type_ in ROOTS)


@contextmanager
def read_natively() -> Iterator[None]:
    """Refuse what the record holds in a shape that the native form never gave it.

    Whoever writes by FHIR may change any resource of a dossier. Reading it natively, or writing it
    again, then fails at whatever is missing or of another type: that is a Conflict.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as fault:
        raise Conflict(issue("dossier.record-unreadable")) from fault
    except Unprocessable as refusal:
        raise Conflict(*refusal.issues) from refusal


async def read_record(gateway: Gateway, caller: Caller, tag: str) -> DossierRecord:
    """Read what there is of a dossier (``system|value``); empty when there is nothing."""
    cell = dossier_column(tag)
    seq = await gateway.store.dossier_seq(cell, caller)  # first: a deletion since makes us Stale
    tagged = tuple(await gateway.store.dossier(cell, caller))
    wanted = rests_on(tagged)
    found = await gateway.store.read_many(wanted, caller)
    shared = tuple(found[key] for key in wanted if key in found and found[key].body is not None)
    return DossierRecord(tagged, shared, seq, tag)


def rests_on(tagged: Sequence[Version]) -> tuple[Key, ...]:
    """Give the keys of what a dossier's own resources refer to and share with others."""
    have = {version.key for version in tagged}
    wanted: dict[Key, None] = {}
    for version in tagged:
        for type_, id_ in REFERENCE.findall(version.body or b""):
            key = Key(type_.decode(), id_.decode())
            if key not in have:
                wanted[key] = None
    return tuple(wanted)


def resource_of(version: Version) -> Resource:
    """Give a version's resource with what stands apart from its body put back."""
    resource = json_text.decode(version.body or b"{}")
    return rejoin(resource, json_text.decode(version.aside)) if version.aside else resource


async def blobs_of(gateway: Gateway, versions: Collection[Version]) -> dict[str, bytes]:
    """Read the bytes of the Binaries among these versions, by their id."""
    found = {}
    for version in versions:
        if version.key.type == "Binary" and version.blob is not None:
            parts = [part async for part in gateway.store.blob(version.blob)]
            found[version.key.id] = b"".join(parts)
    return found


def resources_of(versions: Sequence[Version]) -> list[Resource]:
    """Give the resources of versions, in their order."""
    return [resource_of(version) for version in versions]
