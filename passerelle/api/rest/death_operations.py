"""``Patient/[id]/$declare-death``, ``$cancel-death``: what a death ends, and that undone. Ours.

https://hl7.org/fhir/R4/operations.html
"""

from passerelle.api.rest import responses
from passerelle.api.rest.dossier_operations import code, malformed, moment, parameters
from passerelle.api.rest.operation import Invocation, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid
from passerelle.fhir import json_text
from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.urls import PASSERELLE
from passerelle.mappers.native.dossier_acts import DEATH_SOURCES
from passerelle.mappers.native.dossier_dates import is_day, is_instant


async def declare(repository: Repository, asked: Invocation) -> Reply:
    """Declare the death of a person: 200, and what became of each entry."""
    from passerelle.dossiers.exchange import death

    date = asked.one("date")
    if date is not None and not (is_day(date) or is_instant(date)):
        raise Invalid(malformed("date", "dateTime"))
    source = code(asked, "source", DEATH_SOURCES) or DEATH_SOURCES[0]
    given = {"date": date, "place": asked.one("place"), "placeCode": asked.one("placeCode")}
    facts = {name: value for name, value in given.items() if value is not None}
    at, close = moment(asked, "at"), bool(asked.one("close", False))
    dossier, by = await death.named_by(repository, asked.key, asked.one("by"))
    dry_run = bool(asked.one("dryRun", False))
    wanted = death.Declaration(by, facts | {"source": source}, at, close, dry_run)
    done = await death.declare(repository.gateway, repository.caller, dossier, wanted)
    return responses.fhir(json_text.encode(parameters(done.as_json())))


async def cancel(repository: Repository, asked: Invocation) -> Reply:
    """Undo that declaration: 200, and what became of each entry."""
    from passerelle.dossiers.exchange import death, death_undone

    at, dry_run = moment(asked, "at"), bool(asked.one("dryRun", False))
    dossier, by = await death.named_by(repository, asked.key, asked.one("by"))
    gateway, caller = repository.gateway, repository.caller
    done = await death_undone.cancel(gateway, caller, dossier, by, at, dry_run=dry_run)
    return responses.fhir(json_text.encode(parameters(done.as_json())))


COMMON = (
    Input("by", "Reference", required=True),
    Input("at", "instant"),
    Input("dryRun", "boolean"),
)

OPERATIONS = (
    Operation(
        "declare-death",
        PASSERELLE + "/OperationDefinition/Patient-declare-death",
        frozenset({"instance"}),
        declare,
        types=frozenset({"Patient"}),
        inputs=(
            *COMMON,
            Input("date", "dateTime"),
            Input("place"),
            Input("placeCode", "code"),
            Input("source", "code"),
            Input("close", "boolean"),
        ),
        affects_state=True,
        returns="Parameters",
        title="Déclarer un décès",
    ),
    Operation(
        "cancel-death",
        PASSERELLE + "/OperationDefinition/Patient-cancel-death",
        frozenset({"instance"}),
        cancel,
        types=frozenset({"Patient"}),
        inputs=COMMON,
        affects_state=True,
        returns="Parameters",
        title="Annuler une déclaration de décès",
    ),
)
