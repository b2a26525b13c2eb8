"""A dossier goes out in its native form, or as the FHIR resources that stand for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from passerelle.dossiers.exchange.dossier_past import past, without_bytes_of
from passerelle.dossiers.exchange.dossier_record import (
    DossierRecord,
    blobs_of,
    read_natively,
    read_record,
    resource_of,
    resources_of,
)
from passerelle.dossiers.exchange.section_bytes import binaries_of
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import NotFound
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier import SECTIONS, Dossier, dump
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_sections import BY_ENTRY, TABLE
from passerelle.mappers.native.dossier_since import changed, only
from passerelle.store.caller import Caller
from passerelle.store.contract import Mark, Version


@dataclass(frozen=True, slots=True)
class Extract:
    """The body as it is answered, and its tag."""

    body: bytes
    etag: str


async def extract(
    gateway: Gateway,
    caller: Caller,
    dossier_id: str,
    *,
    sections: tuple[str, ...] | None = None,
    form: Literal["native", "fhir"] = "native",
    since: str | None = None,
) -> Extract:
    """Give a dossier (``system|value``) as it is now. Raises NotFound, or Conflict when
    it was changed into what the native form cannot say.

    ``sections`` limits the native form to some of its sections; the root and the person always
    stand. ``fhir`` gives a collection Bundle of stored bodies. ``since`` leaves out the entries, or
    the resources, that are what they were in that state. Raises Invalid for none.
    """
    record = await read_record(gateway, caller, dossier_id)
    if record.root is None:
        raise NotFound(issue("dossier.not-found"))
    then = await past(gateway, caller, dossier_id, since, "since") if since else None
    if form == "fhir":
        mark = then.mark if then else Mark()
        newer = [one for one in record.versions if Mark(one.at, one.seq) > mark]
        return Extract(_bundle(gateway, newer), record.etag)
    dossier = await native(gateway, record, sections=sections)
    if then is not None:
        with read_natively():
            now = from_fhir(resources_of(record.versions), None, sections=sections)
        found = changed(without_bytes_of(then.record), now)
        shown = SECTIONS if sections is None else sections
        gone = tuple(each for each in found.gone if each[0] in shown)
        dossier = Dossier(only(dossier, found._replace(gone=gone)))
    return Extract(dump(dossier), record.etag)


async def native(
    gateway: Gateway, record: DossierRecord, *, sections: tuple[str, ...] | None = None
) -> Dossier:
    """Read the native form from a record, with the bytes of its files. Raises Conflict."""
    wanted = SECTIONS if sections is None else sections
    versions = record.versions
    blobs = await blobs_of(gateway, binaries_of(record, wanted))
    with read_natively():
        return from_fhir(resources_of(versions), blobs, sections=sections)


def without_bytes(record: DossierRecord, keep: tuple[Version, ...]) -> list[Resource]:
    """Give the resources of a record but those of entries with a resource of their own, unless
    they are kept; the circle is always there.
    """
    kept = {version.key for version in keep}
    bulky = {type for name in BY_ENTRY for type in TABLE[name].types}
    return [
        resource_of(version)
        for version in record.versions
        if version.key.type not in bulky or version.key in kept
    ]


def _bundle(gateway: Gateway, versions: Sequence[Version]) -> bytes:
    """Join the stored bodies to a collection (https://hl7.org/fhir/R4/bundle.html)."""
    entries = [
        b'{"fullUrl":"%s/%s","resource":%s}'
        % (gateway.base_url.encode(), str(version.key).encode(), version.body or b"{}")
        for version in versions
    ]
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + b",".join(entries) + b"]}"
