"""Somebody takes note of an alert: the act, over FHIR, the native form and the command alike.

It is a push of that one alert, made from what the record holds: whatever guards a push guards it
(the closed dossier, concurrent writers, the rules of the form), and nothing else changes.
"""

from typing import Any, NamedTuple

from passerelle.dossiers.exchange.dossier_record import read_natively, read_record, resources_of
from passerelle.dossiers.exchange.receipts_of_push import Receipt
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import Conflict, NotFound, PreconditionFailed, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.mappers.native.dossier import PERSON, SECTIONS, Dossier, Entry, dump, normal
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_reading import reading
from passerelle.store.caller import Caller
from passerelle.store.contract import Stale

OPEN = ("active", "acknowledged")
"""Statuses of an alert that may be acknowledged."""


class Acknowledgement(NamedTuple):
    """What is asked: by whom (a key of the circle, or ``person``), when; None: now."""

    by: str
    at: str | None = None
    dry_run: bool = False


async def acknowledge(
    gateway: Gateway, caller: Caller, dossier_id: str, key: str, asked: Acknowledgement
) -> Receipt:
    """Note that a member took note of an alert of a dossier (``system|value``).

    A member who did so before is not noted again. Raises NotFound (no such dossier or alert),
    Unprocessable (``by`` is no member; the moment cannot be), Conflict (the alert or the dossier
    is over).
    """

    async def attempt() -> Receipt:
        record = await read_record(gateway, caller, dossier_id)
        if record.root is None:
            raise NotFound(issue("dossier.not-found"))
        with read_natively():
            there = from_fhir(resources_of(record.versions), None)
        alert = _noted(there, key, asked, gateway.clock())
        content = {name: value for name, value in there.content.items() if name not in SECTIONS}
        pushed = normal({**content, "alerts": [alert]})
        try:
            return await receive(
                gateway,
                caller,
                dossier_id,
                dump(pushed),
                if_match=record.etag,
                strict=True,
                dry_run=asked.dry_run,
            )
        except PreconditionFailed:
            raise Stale from None  # somebody wrote to the dossier meanwhile: look again

    return await settle(attempt)


async def acknowledge_flag(
    repository: Repository, key: Key, by: Resource, at: str | None, *, dry_run: bool
) -> Receipt:
    """Note that whom a reference names took note of the alert that a Flag stands for.

    Raises NotFound and Gone (no such Flag), Unprocessable (it is no alert of a dossier, the
    reference names no member of its circle), Conflict as :func:`acknowledge`.
    """
    gateway, caller = repository.gateway, repository.caller
    version = await repository.read(key)
    flag = json_text.decode(version.body or b"{}")
    tags = flag.get("meta", {}).get("tag", ())
    dossier_id = next((tag["code"] for tag in tags if tag.get("system") == DOSSIER_TAG), None)
    record = None if dossier_id is None else await read_record(gateway, caller, dossier_id)
    if record is None or record.root is None:
        raise Unprocessable(issue("alert.of-no-dossier", "Flag.meta.tag"))
    local = key_of(str(by.get("reference", "")), gateway.base_url)
    by = by if local is None else {**by, "reference": str(local)}
    with read_natively():
        found = reading(resources_of(record.versions))
        native = found.key_of("alerts", flag)
        member = found.member(by)
    if native is None:
        raise Unprocessable(issue("alert.of-no-dossier", "Flag.identifier"))
    if member == PERSON and by.get("reference") != flag.get("subject", {}).get("reference"):
        member = None
    if member is None:
        raise Unprocessable(issue("alert.by-nobody", "Parameters.parameter"))
    asked = Acknowledgement(member, at, dry_run)
    return await acknowledge(gateway, caller, record.tag, native, asked)


def _noted(there: Dossier, key: str, asked: Acknowledgement, now: int) -> Entry:
    """Give the alert with the acknowledgement in it."""
    alert = there.entry("alerts", key)
    if alert is None:
        raise NotFound(issue("alert.unknown"))
    if alert["status"] not in OPEN:
        raise Conflict(issue("alert.over"))
    if asked.by != PERSON and there.entry("circle", asked.by) is None:
        raise Unprocessable(issue("alert.by-nobody", "/by"))
    acks: list[dict[str, Any]] = list(alert.get("acks", ()))
    if not any(ack["by"] == asked.by for ack in acks):
        acks.append({"by": asked.by, "at": asked.at or dump_instant(now)})
    return {**alert, "status": "acknowledged", "acks": acks}
