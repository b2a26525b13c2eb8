"""Operations beyond the standard's own (https://hl7.org/fhir/R4/operations.html)."""

from passerelle.api.rest import responses
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key


async def send_mss(repository: Repository, request: Request) -> Reply:
    """Ask for a document to be sent by secure mail: 202, and the Communications that track it."""
    from passerelle.dossiers.mailing import transmission

    parameters = await request.resource()
    if parameters.get("resourceType") != "Parameters":
        raise Invalid(issue("http.type-mismatch", "resourceType", type="Parameters"))
    made = await transmission.request(
        repository.gateway, repository.caller, Key(request.type, request.id), parameters
    )
    return responses.fhir(json_text.encode(made), 202)
