"""``Flag/[id]/$acknowledge``: somebody takes note of an alert of a dossier. An operation of ours.

https://hl7.org/fhir/R4/operations.html
"""

from passerelle.api.rest import responses
from passerelle.api.rest.operation import Invocation, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.urls import PASSERELLE
from passerelle.mappers.native.dossier_dates import is_instant


async def acknowledge(repository: Repository, asked: Invocation) -> Reply:
    """Note who took note, when: 200, and what became of the Flag (updated or unchanged)."""
    from passerelle.dossiers.exchange.acknowledging import acknowledge_flag

    at = asked.one("at")
    if at is not None and not is_instant(at):
        raise Invalid(
            issue("operation.input-malformed", "Parameters.parameter", name="at", kind="instant")
        )
    dry_run = bool(asked.one("dryRun", False))
    receipt = await acknowledge_flag(repository, asked.key, asked.one("by"), at, dry_run=dry_run)
    reference = str(asked.key)
    action = next(one.action for one in receipt.entries if one.reference == reference)
    made = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "alert", "valueReference": {"reference": reference}},
            {"name": "action", "valueCode": action},
            {"name": "dryRun", "valueBoolean": receipt.dry_run},
        ],
    }
    return responses.fhir(json_text.encode(made))


OPERATIONS = (
    Operation(
        "acknowledge",
        PASSERELLE + "/OperationDefinition/acknowledge",
        frozenset({"instance"}),
        acknowledge,
        types=frozenset({"Flag"}),
        inputs=(
            Input("by", "Reference", required=True),
            Input("at", "instant"),
            Input("dryRun", "boolean"),
        ),
        affects_state=True,
        returns="Parameters",
        title="Acquitter une alerte d'un dossier",
    ),
)
