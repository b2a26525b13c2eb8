"""Operations that every type has: `$validate`, `$meta`, `$meta-add`, `$meta-delete`.

https://hl7.org/fhir/R4/resource-operations.html
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from passerelle.api.rest import negotiation, responses
from passerelle.api.rest.operation import R4_DEFINITION, Invocation, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.bundle_refusals import placed
from passerelle.dossiers.operations import meta, validation
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.resource import Resource


async def validate(repository: Repository, asked: Invocation) -> Reply:
    """Say all that a write would say: 200 and an OperationOutcome, whatever is found."""
    mode, id_ = asked.one("mode"), asked.id or None
    if mode is not None and mode not in validation.MODES:
        raise Invalid(issue("operation.mode-unknown", "mode"))
    resource = asked.one("resource")
    if id_ is None and (mode == "delete" or resource is None):
        raise Invalid(issue("operation.nothing-to-validate", asked.type))
    found = await validation.validate(
        repository,
        validation.Validation(
            asked.type, id_, resource, cast("validation.Mode | None", mode), asked.one("profile")
        ),
    )
    return responses.said(200, _located(asked, found) if resource is not None else found)


def _located(asked: Invocation, found: tuple[Issue, ...]) -> Sequence[Issue]:
    """Give the issues with the lines of the body that they speak of; their places stay."""
    listed = (asked.body or {}).get("parameter", ())
    named = [number for number, each in enumerate(listed) if each.get("name") == "resource"]
    if asked.bare or not named:
        return asked.request.located(found)
    before = f"Parameters.parameter[{named[0]}].resource"
    moved = [placed(said, before) if said.expression else said for said in found]
    lines = asked.request.located(tuple(moved))
    return [
        replace(said, line=where.line, column=where.column)
        for said, where in zip(found, lines, strict=True)
    ]


async def read_meta(repository: Repository, asked: Invocation) -> Reply:
    """Give the profiles, tags and security labels of an instance, or those in use."""
    if asked.level == "instance":
        return _told(await meta.of_instance(repository, asked.key))
    return _told(await meta.in_use(repository, asked.type or None))


async def add_meta(repository: Repository, asked: Invocation) -> Reply:
    """Add to the meta of an instance."""
    return await _changed(repository, asked, "add")


async def delete_meta(repository: Repository, asked: Invocation) -> Reply:
    """Take away from the meta of an instance."""
    return await _changed(repository, asked, "delete")


async def _changed(repository: Repository, asked: Invocation, way: meta.Way) -> Reply:
    expected = negotiation.if_match(asked.request.header(b"if-match"))
    version, found = await meta.change(
        repository, asked.key, asked.one("meta"), way, if_match=expected
    )
    return _told(found)._replace(headers=(responses.FHIR_JSON, *responses.version_headers(version)))


def _told(found: Resource) -> Reply:
    """Give a Meta as the one output of the operation."""
    parameter: Resource = {"name": "return"}
    if found:
        parameter["valueMeta"] = found
    return responses.fhir(
        json_text.encode({"resourceType": "Parameters", "parameter": [parameter]})
    )


OPERATIONS = (
    Operation(
        "validate",
        R4_DEFINITION + "Resource-validate",
        frozenset({"type", "instance"}),
        validate,
        inputs=(Input("resource", "Resource"), Input("mode", "code"), Input("profile", "uri")),
    ),
    Operation(
        "meta",
        R4_DEFINITION + "Resource-meta",
        frozenset({"system", "type", "instance"}),
        read_meta,
    ),
    Operation(
        "meta-add",
        R4_DEFINITION + "Resource-meta-add",
        frozenset({"instance"}),
        add_meta,
        inputs=(Input("meta", "Meta", required=True),),
        affects_state=True,
    ),
    Operation(
        "meta-delete",
        R4_DEFINITION + "Resource-meta-delete",
        frozenset({"instance"}),
        delete_meta,
        inputs=(Input("meta", "Meta", required=True),),
        affects_state=True,
    ),
)
