"""A dossier as it was: at an instant, at a place of the feed, or when it had a version.

Versions are never changed (house section 1.2): what each of its resources was then is still there.
A version is the tag that was answered with it; it is looked for backwards, so many changes at most.
"""

import re
from typing import NamedTuple

from passerelle.dossiers.exchange.dossier_record import (
    DossierRecord,
    read_natively,
    read_record,
    resources_of,
    rests_on,
)
from passerelle.dossiers.exchange.feed_place import parse_place
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.rights_columns import dossier_column
from passerelle.errors.refusals import Invalid, NotFound
from passerelle.errors.rules import issue
from passerelle.fhir.search.date_interval import interval
from passerelle.mappers.native.dossier import Dossier
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.store.caller import Caller
from passerelle.store.contract import Mark

STEPS_MAX = 200
"""Changes that a version is looked for among, the last ones first."""

LAST_SEQ = 1 << 62
_ETAG = re.compile(r"[0-9a-f]{16}")


class Past(NamedTuple):
    """A dossier as it was, and the place of the feed that it was like that at."""

    record: DossierRecord
    mark: Mark


async def record_as_of(gateway: Gateway, caller: Caller, tag: str, mark: Mark) -> DossierRecord:
    """Read a dossier as it was at a place of the feed; empty when there was none."""
    readings = gateway.store.dossiers
    tagged = tuple(await readings.as_of(dossier_column(tag), mark, caller))
    wanted = rests_on(tagged)
    found = {one.key: one for one in await readings.many_as_of(wanted, mark, caller)}
    return DossierRecord(tagged, tuple(found[key] for key in wanted if key in found), None, tag)


async def past(gateway: Gateway, caller: Caller, tag: str, state: str, name: str) -> Past:
    """Give the state that a text names: an instant, a ``next`` of the feed, or a version.

    Raises Invalid (none of these, at the parameter ``name``), NotFound (no such version).
    """
    text = state.strip().strip('"')
    if _ETAG.fullmatch(text):
        return await _of_version(gateway, caller, tag, text)
    moment = interval(text.replace(" ", "+"))
    if moment is not None:
        mark = Mark(moment.low, LAST_SEQ)
    else:
        try:
            mark = (await parse_place(gateway, caller, text)).mark
        except Invalid:
            raise Invalid(issue("dossier.state-malformed", name)) from None
    return Past(await record_as_of(gateway, caller, tag, mark), mark)


async def _of_version(gateway: Gateway, caller: Caller, tag: str, etag: str) -> Past:
    now = await read_record(gateway, caller, tag)
    shared = [version.key for version in now.shared]
    steps = await gateway.store.dossiers.steps(dossier_column(tag), shared, caller, limit=STEPS_MAX)
    if now.root is not None and now.etag == etag:
        return Past(now, steps[0].mark if steps else Mark())
    for step in steps:
        record = await record_as_of(gateway, caller, tag, step.mark)
        if record.root is not None and record.etag == etag:
            return Past(record, step.mark)
    raise NotFound(issue("dossier.version-unknown", limit=STEPS_MAX))


def without_bytes_of(record: DossierRecord) -> Dossier | None:
    """Read the native form of a record, its files by their addresses. Raises Conflict.

    None when there is, or was, no such dossier.
    """
    if record.root is None:
        return None
    with read_natively():
        return from_fhir(resources_of(record.versions), None)
