"""Sending a document by secure mail: an operation of ours.

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


async def send_mss(repository: Repository, asked: Invocation) -> Reply:
    """Ask for a document to be sent by secure mail: 202, and the Communications that track it."""
    from passerelle.dossiers.mailing import transmission

    if asked.body is None:
        raise Invalid(issue("http.body-missing"))
    made = await transmission.request(repository.gateway, repository.caller, asked.key, asked.body)
    return responses.fhir(json_text.encode(made), 202)


OPERATIONS = (
    Operation(
        "send-mss",
        PASSERELLE + "/OperationDefinition/send-mss",
        frozenset({"instance"}),
        send_mss,
        types=frozenset({"DocumentReference"}),
        inputs=None,
        affects_state=True,
        returns="Parameters",
        title="Envoyer un document par messagerie sécurisée de santé (MSSanté)",
        described=(
            Input("recipient", max=None, required=True),
            Input("resend", "boolean"),
        ),
    ),
)
