"""How a dossier stands now, in few words: its name, its version, its status, whether it is gone."""

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from passerelle.dossiers.exchange.dossier_record import (
    DossierRecord,
    read_natively,
    resource_of,
    root_keys,
)
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.rights_columns import dossier_column
from passerelle.errors.refusals import Conflict
from passerelle.fhir import json_text
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.mappers.resources.dossier_episode import status_of
from passerelle.store.caller import Caller
from passerelle.store.contract import Version

Removed: TypeAlias = Literal["deleted", "entered-in-error"]
IN_ERROR: Final = "entered-in-error"


@dataclass(frozen=True, slots=True)
class Standing:
    """A dossier now. ``etag`` and ``status`` are those of one that can be pulled.

    ``removed``: why it is none any more, for whoever holds a copy of it.
    """

    tag: str
    etag: str | None
    status: str | None
    removed: Removed | None


async def standing(record: DossierRecord, gateway: Gateway, caller: Caller) -> Standing | None:
    """Tell how a dossier stands; None when there never was one of that name.

    ``record`` may have been read by the cell that names the dossier, where its name is too long to
    be one.
    """
    tag = _tag_of(record)
    root = replace(record, tag=tag).root
    if root is None:
        there = await gateway.store.read_many(root_keys(tag), caller)
        return Standing(tag, None, None, "deleted") if there else None
    try:
        with read_natively():
            status = status_of(resource_of(root))
    except Conflict:  # somebody changed the root into what has no status: it can still be seen
        status = None
    return Standing(
        tag, replace(record, tag=tag).etag, status, IN_ERROR if status == IN_ERROR else None
    )


def _tag_of(record: DossierRecord) -> str:
    """Give the name of the dossier (``system|value``), from its resources where a cell was cut."""
    for version in record.tagged:
        for code in _codes(version):
            if dossier_column(code) == dossier_column(record.tag):
                return code
        break
    return record.tag


def _codes(version: Version) -> list[str]:
    meta = json_text.decode(version.body or b"{}").get("meta", {})
    return [tag["code"] for tag in meta.get("tag", ()) if tag.get("system") == DOSSIER_TAG]
