"""DELETE on a type: what the criteria designate (https://hl7.org/fhir/R4/http.html#cond-delete)."""

from passerelle.api.rest import interactions, negotiation, responses
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Header, Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.rules import issue


async def delete_matching(repository: Repository, request: Request) -> Reply:
    """Delete what the criteria designate: 204, or an outcome that tells how many."""
    criteria = interactions.criteria_of(request)
    expected = negotiation.if_match(request.header(b"if-match"))
    outcomes = await repository.delete_matching(request.type, criteria, if_match=expected)
    tag: tuple[Header, ...] = ()
    if len(outcomes) == 1 and outcomes[0].version is not None:
        tag = ((b"etag", responses.etag(outcomes[0].version.version)),)
    if request.preference.returns == "OperationOutcome":
        tag = (*tag, responses.RETURNED["OperationOutcome"])
        return responses.said(200, [issue("http.deleted", count=len(outcomes))], tag)
    return Reply(204, tag)
