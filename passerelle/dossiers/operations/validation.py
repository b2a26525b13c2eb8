"""`$validate`: all that a write would say of a resource, without writing it.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, get_args

from passerelle.dossiers import keeping
from passerelle.dossiers.claims import claims
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.reference_places import references
from passerelle.fhir.resource import Key, Resource

Mode: TypeAlias = Literal["create", "update", "delete", "profile"]
"""https://hl7.org/fhir/R4/valueset-resource-validation-mode.html"""

MODES: frozenset[str] = frozenset(get_args(Mode))
REFERENCES_MAX = 1000
"""As many references of one resource are looked up."""


class Validation(NamedTuple):
    """What is asked: of a type, or of an instance when ``id`` is given."""

    type: str
    id: str | None = None
    resource: Resource | None = None
    mode: Mode | None = None
    profile: str | None = None


async def validate(repository: Repository, asked: Validation) -> list[Issue]:
    """Give every issue of the resource, errors and warnings; none when all is well.

    Without a resource the kept one is meant. Raises NotFound or Gone when that is not there.
    """
    key = None if asked.id is None else Key(asked.type, asked.id)
    found = _about_profiles(asked)
    resource = asked.resource
    if key is not None and resource is None:
        kept = await repository.read(key)
        if asked.mode == "delete":
            return found
        resource = json_text.decode(kept.body or b"{}")
    if resource is None:
        return [*found, issue("operation.nothing-to-validate", asked.type)]
    found += _about_place(asked, resource)
    structural, identity = keeping.faults(resource, repository.gateway.ins)
    found += [*structural, *identity]
    if any(keeping.is_grave(said) for said in structural):
        return found  # what comes next reads sound resources only
    own = key or (Key(asked.type, resource["id"]) if "id" in resource else None)
    found += await _about_claims(repository, resource, None if asked.mode == "create" else own)
    return [*found, *await _about_references(repository, resource)]


def _about_profiles(asked: Validation) -> list[Issue]:
    """Say what is not checked. R4: a server that cannot check a named profile says an error."""
    if asked.profile is not None:
        return [issue("operation.profile-not-checked")]
    return [issue("operation.profiles-not-checked")] if asked.mode == "profile" else []


def _about_place(asked: Validation, resource: Resource) -> list[Issue]:
    """Check type and id against the address, as the write would."""
    type_ = resource.get("resourceType")
    if type_ != asked.type:
        known = type_ if isinstance(type_, str) and type_ in resource_types() else None
        return [] if known is None else [issue("http.type-mismatch", known, type=asked.type)]
    if asked.mode == "update" and "id" not in resource:
        return [issue("http.resource-id-missing", f"{asked.type}.id")]
    if asked.id is not None and resource.get("id", asked.id) != asked.id:
        return [issue("http.resource-id-mismatch", f"{asked.type}.id")]
    return []


async def _about_claims(
    repository: Repository, resource: Resource, own: Key | None
) -> Sequence[Issue]:
    """Tell the business identifiers that belong to another resource already."""
    store, caller, type_ = repository.gateway.store, repository.caller, resource["resourceType"]
    holders = [await store.claimed(type_, claim, caller) for claim in claims(resource)]
    taken = any(holder is not None and holder != own for holder in holders)
    return [issue("record.identifier-taken", f"{type_}.identifier")] if taken else []


async def _about_references(repository: Repository, resource: Resource) -> list[Issue]:
    """Warn of references to what is not in the record."""
    base_url = repository.gateway.base_url
    listed = [each for each in references(resource, base_url) if each.key.type in resource_types()][
        :REFERENCES_MAX
    ]
    store, caller = repository.gateway.store, repository.caller
    there = await store.read_many([each.key for each in listed], caller)
    return [
        issue("operation.reference-leads-nowhere", each.path)
        for each in listed
        if each.key not in there or there[each.key].body is None
    ]
