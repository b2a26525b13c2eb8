"""`$match`: who of the record may be a person (POST only: traits do not belong in an address).

https://hl7.org/fhir/R4/patient-operation-match.html
"""

from passerelle.api.rest import responses
from passerelle.api.rest.operation import R4_DEFINITION, Invocation, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.operations.match import match
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.bundle import Found
from passerelle.fhir.bundles.match_set import Graded, match_set
from passerelle.fhir.operation_inputs import Input

COUNT_DEFAULT, COUNT_MAX = 20, 100


async def match_patient(repository: Repository, asked: Invocation) -> Reply:
    """Give those who may be that person, graded, the likeliest first.

    With ``onlyCertainMatches`` a person must be certain and the only one, else nobody is given.
    """
    found = await match(repository, asked.one("resource"))
    said: list[Issue] = []
    if asked.one("onlyCertainMatches", False):
        certain = [each for each in found if each.match.grade == "certain"]
        if len(certain) > 1:
            said.append(issue("operation.several-certain"))
        found = certain if len(certain) == 1 else []
    count = max(1, min(asked.one("count", COUNT_DEFAULT), COUNT_MAX))
    if len(found) > count:
        said.append(issue("operation.more-matches", count=len(found) - count))
    graded = [
        Graded(Found(each.version.key, each.version.body or b"{}"), *each.match)
        for each in found[:count]
    ]
    return responses.fhir(match_set(repository.gateway.base_url, graded, said))


OPERATIONS = (
    Operation(
        "match",
        R4_DEFINITION + "Patient-match",
        frozenset({"type"}),
        match_patient,
        types=frozenset({"Patient"}),
        inputs=(
            Input("resource", "Resource", required=True),
            Input("onlyCertainMatches", "boolean"),
            Input("count", "integer"),
        ),
    ),
)
