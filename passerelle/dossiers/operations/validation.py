"""`$validate`: all that a write would say of a resource, without writing it.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, get_args

from passerelle.dossiers import deletions, keeping, written_references
from passerelle.dossiers.claims import claims
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.turns import apart
from passerelle.errors.issue_bounds import bounded
from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.resource import Key, Resource

Mode: TypeAlias = Literal["create", "update", "delete", "profile"]
"""https://hl7.org/fhir/R4/valueset-resource-validation-mode.html"""

MODES: frozenset[str] = frozenset(get_args(Mode))


class Validation(NamedTuple):
    """What is asked: of a type, or of an instance when ``id`` is given."""

    type: str
    id: str | None = None
    resource: Resource | None = None
    mode: Mode | None = None
    profile: str | None = None


async def validate(repository: Repository, asked: Validation) -> tuple[Issue, ...]:
    """Give every issue of the resource, errors and warnings; none when all is well.

    Without a resource the kept one is meant. As many are told as ``bounded`` has it. Raises
    NotFound or Gone when that is not there.
    """
    return bounded(await _validated(repository, asked))


async def _validated(repository: Repository, asked: Validation) -> list[Issue]:
    """Give the issues, however many."""
    key = None if asked.id is None else Key(asked.type, asked.id)
    found = _about_profiles(asked)
    resource = asked.resource
    if key is not None and resource is None:
        kept = await repository.read(key)
        if asked.mode == "delete":
            return [*found, *await _about_deletion(repository, key)]
        resource = json_text.decode(kept.body or b"{}")
    if resource is None:
        return [*found, issue("operation.nothing-to-validate", asked.type)]
    found += [*_about_declared(asked, resource), *_about_place(asked, resource)]
    gateway = repository.gateway
    registry = gateway.store.parameters.registry
    structural, identity = await apart(
        resource, keeping.faults, resource, gateway.ins, registry, profiles=gateway.writing.profiles
    )
    found += [*structural, *identity]
    if any(keeping.is_grave(said) for said in structural):
        return found  # what comes next reads sound resources only
    own = key or (Key(asked.type, resource["id"]) if "id" in resource else None)
    found += await _about_claims(repository, resource, None if asked.mode == "create" else own)
    written = own or Key(asked.type, "")
    return [*found, *await _about_references(repository, written, resource)]


def _about_profiles(asked: Validation) -> list[Issue]:
    """Say what is not checked. R4: a server that cannot check a named profile says an error."""
    if asked.profile is not None:
        return [issue("operation.profile-not-checked")]
    return [issue("operation.profiles-not-checked")] if asked.mode == "profile" else []


def _about_declared(asked: Validation, resource: Resource) -> list[Issue]:
    """Say that the profiles that a resource says it keeps to are not checked."""
    meta = resource.get("meta")
    declared = meta.get("profile") if isinstance(meta, dict) else None
    if not declared or asked.profile is not None or asked.mode == "profile":
        return []
    place = f"{resource.get('resourceType', asked.type)}.meta.profile"
    return [issue("operation.profiles-not-checked", place)]


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


async def _about_references(
    repository: Repository, key: Key, resource: Resource
) -> Sequence[Issue]:
    """Tell the references to what is not in the record, as gravely as a write would."""
    gateway = repository.gateway
    listed = written_references.references_of(gateway, key, resource)
    gone, _ = await written_references.missing(gateway, repository.caller, listed)
    return written_references.told(gateway, listed, gone)


async def _about_deletion(repository: Repository, key: Key) -> Sequence[Issue]:
    """Tell what refers to a resource, where that would keep it from being deleted."""
    decided = await deletions.decide(repository.gateway, [key])
    return tuple(decided.refused.values())
