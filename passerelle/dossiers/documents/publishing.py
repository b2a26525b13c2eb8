"""One request, one document: the simplified publication (ITI-105), kept whole or not at all.

https://interop.esante.gouv.fr/ig/fhir/pdsm/st_ajout_simplifie.html and
https://profiles.ihe.net/ITI/MHD/ITI-105.html . What comes in is taken apart and goes the way of a
transaction: document reference, Binary and submission set in one unit, and what it replaces
superseded in the same.
"""

from dataclasses import replace

from passerelle.dossiers import keeping
from passerelle.dossiers.bundle_refusals import of_commit
from passerelle.dossiers.conditions import condition, expect, one_designated
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.retrying import settle
from passerelle.dossiers.transaction_decision import Deciding
from passerelle.dossiers.turns import apart
from passerelle.errors.refusals import (
    Conflict,
    Issue,
    NotAllowed,
    PasserelleError,
    PreconditionFailed,
    Unprocessable,
)
from passerelle.fhir.bundles.transaction_plan import Plan, plan
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.document_sharing import simplified_publish
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search.query import Query
from passerelle.store.caller import Caller
from passerelle.store.contract import Outcome

ENTRY = "Bundle.entry[0].resource"
"""Where the document stands in the transaction that it becomes."""


async def publish(
    gateway: Gateway, caller: Caller, document: Resource, *, if_none_exist: str | None = None
) -> Outcome:
    """Keep a document that came with its bytes; the outcome is that of its reference.

    With ``if_none_exist`` the one document that matches is given back as ``kept``, and nothing is
    written. Raises Invalid, Unprocessable (a rule of the guide, a size or hash that is not that of
    the bytes), PreconditionFailed, Conflict.
    """
    registry = gateway.store.parameters.registry
    warnings = await apart(
        document, keeping.demand, document, gateway.ins, registry, profiles=gateway.writing.profiles
    )
    sent = await apart(document, simplified_publish.measured, document)
    if sent.issues:
        raise Unprocessable(*sent.issues)
    bundle = simplified_publish.bundle(
        document, sent, now=dump_instant(gateway.clock()), source_id=gateway.base_url
    )
    planned = plan(bundle, types=resource_types(), base_url=gateway.base_url)
    query = None
    if if_none_exist is not None:
        query = await condition(gateway, caller, "DocumentReference", if_none_exist)

    async def attempt() -> Outcome:
        if query is not None:
            ids = await one_designated(gateway, caller, query)
            if ids:
                return Outcome("kept", await gateway.store.read(Key(query.type, ids[0]), caller))
        return await _written(gateway, caller, planned, query)

    try:
        outcome = await settle(attempt)
    except PasserelleError as refusal:
        raise _of_document(refusal) from None
    return outcome._replace(warnings=(*warnings, *outcome.warnings))


async def _written(gateway: Gateway, caller: Caller, planned: Plan, query: Query | None) -> Outcome:
    """Commit the three of them, and what they supersede; give what became of the document."""
    decided = await Deciding(gateway, caller, planned).run()
    if query is not None:
        decided.expectations.append(expect(query, ()))
    entries = [index for index, _ in decided.writes]
    try:
        outcomes = await gateway.store.commit(decided.unit(), caller)
    except (Conflict, NotAllowed, PreconditionFailed) as refusal:
        raise of_commit(refusal, entries) from None
    said = tuple(_placed(one) for one in decided.warnings.get(0, ()))
    return outcomes[entries.index(0)]._replace(warnings=said)


def _of_document(refusal: PasserelleError) -> PasserelleError:
    """Give a refusal with the places of the document that came in."""
    return type(refusal)(*(_placed(one) for one in refusal.issues))


def _placed(said: Issue) -> Issue:
    """Give an issue at its place in the document; those of what was derived speak of all of it."""
    place = said.expression or ""
    if not place.startswith("Bundle."):
        return said
    tail = place.removeprefix(ENTRY) if place.startswith(ENTRY) else ""
    return replace(said, expression=f"DocumentReference{tail}")
