"""How far the search parameters are that were added: ``SearchParameter/$status``, ours.

https://hl7.org/fhir/R4/operations.html , https://hl7.org/fhir/R4/searchparameter.html
"""

from collections.abc import Iterator
from typing import Any

from passerelle.api.rest import responses
from passerelle.api.rest.operation import Invocation, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.parameter_standing import Standing, standings
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import NotFound
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import PASSERELLE


async def status(repository: Repository, asked: Invocation) -> Reply:
    """Give Parameters: one ``searchParameter`` for each type and code, or for each refused one.

    On an instance those of that SearchParameter; NotFound when it stands for none.
    """
    found = await standings(repository.gateway)
    if asked.level == "instance":
        found = tuple(each for each in found if each.definition == asked.id)
        if not found:
            raise NotFound(issue("parameter.unknown", "SearchParameter"))
    told: Resource = {"resourceType": "Parameters"}
    if found:
        told["parameter"] = [_told(each) for each in found]
    return responses.fhir(json_text.encode(told))


def _told(each: Standing) -> Resource:
    return {"name": "searchParameter", "part": list(_parts(each))}


def _parts(each: Standing) -> Iterator[dict[str, Any]]:
    """Give what is known of one, nothing empty."""
    if each.definition:
        reference = {"reference": f"SearchParameter/{each.definition}"}
        yield {"name": "definition", "valueReference": reference}
    yield {"name": "url", "valueUri": each.url}
    for name, value in (("base", each.type), ("code", each.code), ("type", each.kind)):
        if value:
            yield {"name": name, "valueCode": value}
    yield {"name": "status", "valueCode": each.state}
    if not each.issues:
        for name, number in (("percent", each.percent), ("done", each.done), ("total", each.total)):
            yield {"name": name, "valueInteger": min(number, 2**31 - 1)}
    for said in each.issues:
        place = [said.expression] if said.expression else []
        texts = ": ".join([*place, said.text])
        yield {
            "name": "refusal",
            "part": [
                {"name": "rule", "valueCode": said.rule},
                {"name": "text", "valueString": texts},
            ],
        }


OPERATIONS = (
    Operation(
        "status",
        PASSERELLE + "/OperationDefinition/search-parameter-status",
        frozenset({"type", "instance"}),
        status,
        types=frozenset({"SearchParameter"}),
        returns="Parameters",
        title="Où en est l'indexation des paramètres de recherche ajoutés",
    ),
)
