"""``EpisodeOfCare/[id]/$close``, ``$suspend``, ``$reopen``: the acts on a dossier. Ours.

https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Mapping
from functools import partial
from typing import TypeVar

from passerelle.api.rest import responses
from passerelle.api.rest.operation import Invocation, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import PASSERELLE
from passerelle.mappers.native.dossier_acts import DESTINIES, REASONS, Act, Closing
from passerelle.mappers.native.dossier_dates import is_instant

Code = TypeVar("Code", bound=str)
TITLES: Mapping[Act, str] = {
    "suspend": "Suspendre un dossier",
    "close": "Clore un dossier",
    "reopen": "Rouvrir un dossier",
}
COMMON = (
    Input("by", "Reference", required=True),
    Input("at", "instant"),
    Input("dryRun", "boolean"),
)
CLOSING = (
    Input("reason", "code", required=True),
    Input("text"),
    Input("tasks", "code"),
    Input("appointments", "code"),
)


async def answer(act: Act, repository: Repository, asked: Invocation) -> Reply:
    """Do an act on the dossier of an EpisodeOfCare: 200, and what became of each entry."""
    from passerelle.dossiers.exchange import acting

    at, closing = moment(asked, "at"), None
    if act == "close":
        closing = Closing(
            code(asked, "reason", REASONS) or "",
            asked.one("text"),
            code(asked, "tasks", DESTINIES),
            code(asked, "appointments", DESTINIES),
        )
    dossier, by = await acting.named_by(repository, asked.key, asked.one("by"))
    wanted = acting.Asked(act, by, at, closing, None, bool(asked.one("dryRun", False)))
    done = await acting.act(repository.gateway, repository.caller, dossier, wanted)
    return responses.fhir(json_text.encode(parameters(done.as_json())))


def parameters(told: Mapping[str, object]) -> Resource:
    """Give the receipt of an act as Parameters: one part an entry, one a difference."""
    entries, dossiers = told["entries"], told["dossiers"]
    assert isinstance(entries, list)
    assert isinstance(dossiers, list)
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "dossier", "valueString": told["dossier"]},
            {"name": "status", "valueCode": told["status"]},
            {"name": "dryRun", "valueBoolean": told["dryRun"]},
            *(
                {
                    "name": "entry",
                    "part": [
                        {"name": "reference", "valueReference": {"reference": one["reference"]}},
                        {"name": "action", "valueCode": one["action"]},
                    ],
                }
                for one in entries
            ),
            *(_change(each["dossier"], change) for each in dossiers for change in each["changes"]),
        ],
    }


def _change(dossier: str, change: Mapping[str, object]) -> Resource:
    """Give one difference in the native form; its values as JSON."""
    place = "/".join(str(part) for part in (change["section"], change["key"]) if part)
    parts = [
        {"name": "dossier", "valueString": dossier},
        {"name": "path", "valueString": f"/{place}{change['path']}"},
        {"name": "kind", "valueCode": change["kind"]},
    ]
    for name in ("before", "after"):
        if change[name] is not None:
            text = json_text.encode(change[name]).decode()
            parts.append({"name": name, "valueString": text})
    return {"name": "change", "part": parts}


def code(asked: Invocation, name: str, codes: tuple[Code, ...]) -> Code | None:
    """Read one of some codes. Raises Invalid."""
    value: str | None = asked.one(name)
    found = next((code for code in codes if code == value), None)
    if value is not None and found is None:
        raise Invalid(malformed(name, ", ".join(codes)))
    return found


def moment(asked: Invocation, name: str) -> str | None:
    """Read a moment with its offset. Raises Invalid."""
    value: str | None = asked.one(name)
    if value is not None and not is_instant(value):
        raise Invalid(malformed(name, "instant"))
    return value


def malformed(name: str, kind: str) -> Issue:
    """Give the issue of an input that is not what it should be."""
    return issue("operation.input-malformed", "Parameters.parameter", name=name, kind=kind)


OPERATIONS = tuple(
    Operation(
        act,
        f"{PASSERELLE}/OperationDefinition/EpisodeOfCare-{act}",
        frozenset({"instance"}),
        partial(answer, act),
        types=frozenset({"EpisodeOfCare"}),
        inputs=(*CLOSING, *COMMON) if act == "close" else COMMON,
        affects_state=True,
        returns="Parameters",
        title=title,
    )
    for act, title in TITLES.items()
)
