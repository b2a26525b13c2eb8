"""The OperationDefinitions of what we define ourselves, which nobody else can publish.

https://hl7.org/fhir/R4/operationdefinition.html . They are read by their id and found by their
canonical address, which the CapabilityStatement names. Those of R4 come with the core package, as
all conformance resources do (docs/decisions/2611-packages-in-the-record.md). What the record has
under that id or address goes before.
"""

from functools import cache

from passerelle.api.rest import operations, responses, subsets
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.errors.refusals import NotFound
from passerelle.fhir import json_text
from passerelle.fhir.bundles import bundle
from passerelle.fhir.operation_definition import definition
from passerelle.fhir.resource import Key
from passerelle.fhir.urls import PASSERELLE

TYPE = "OperationDefinition"


@cache
def own() -> dict[str, bytes]:
    """Give our definitions by their id, as they are served."""
    return {
        each.definition.rpartition("/")[2]: json_text.encode(
            definition(
                each.definition,
                each.name,
                levels=each.levels,
                types=each.types,
                inputs=each.inputs or each.described,
                returns=each.returns,
                affects_state=each.affects_state,
                title=each.title,
            )
        )
        for each in operations.OPERATIONS
        if each.definition.startswith(f"{PASSERELLE}/{TYPE}/")
    }


def read(request: Request, refusal: NotFound) -> Reply:
    """Answer a read of what the record does not have. Raises the refusal when we have not."""
    body = own().get(request.id)
    if body is None:
        raise refusal
    return responses.fhir(subsets.asked(request.pairs()).body(body))


def found(base_url: str, request: Request, reply: Reply) -> Reply:
    """Add to a search by one canonical address the definition of ours that is asked for.

    Any other search is of the record alone, and so is one that the record has a match for.
    """
    wanted = subsets.asked(request.pairs())
    asked = [value for name, value in wanted.rest if name == "url"]
    if len(wanted.rest) != 1 or len(asked) != 1 or wanted.counted:
        return reply
    before, _, id_ = asked[0].rpartition("/")
    body = own().get(id_)
    if body is None or before != f"{PASSERELLE}/{TYPE}" or b'"entry":[' in reply.body:
        return reply
    page = json_text.decode(reply.body)
    address = next(link["url"] for link in page["link"] if link["relation"] == "self")
    made = bundle.searchset(
        base_url, [bundle.Found(Key(TYPE, id_), wanted.body(body))], self_url=address
    )
    return reply._replace(body=made)
