"""`$meta`, `$meta-add`, `$meta-delete`: profiles, tags and security labels.

https://hl7.org/fhir/R4/resource-operation-meta.html , resource-operation-meta-add.html and
resource-operation-meta-delete.html . A change makes a version, since the log is append-only.
"""

from typing import Literal, TypeAlias

from passerelle.dossiers.repository import Repository
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import PreconditionFailed
from passerelle.fhir import json_text
from passerelle.fhir.meta_sets import added, removed
from passerelle.fhir.resource import Key, Resource
from passerelle.store.contract import Stale, Version

Way: TypeAlias = Literal["add", "delete"]

CHANGES = {"add": added, "delete": removed}


async def of_instance(repository: Repository, key: Key) -> Resource:
    """Give the Meta of a resource. Raises NotFound, Gone."""
    return _meta(await repository.read(key))


async def in_use(repository: Repository, type: str | None) -> Resource:
    """Give the profiles, tags and labels that resources of a type (or of any) bear now."""
    marks = await repository.gateway.store.marks(type, repository.caller)
    found: Resource = {}
    if marks.profiles:
        found["profile"] = list(marks.profiles)
    for name, codings in (("security", marks.security), ("tag", marks.tags)):
        if codings:
            found[name] = [_coding(system, code) for system, code in codings]
    return found


async def change(
    repository: Repository, key: Key, meta: Resource, way: Way, *, if_match: int | None = None
) -> tuple[Version, Resource]:
    """Change the meta of a resource; give the version that bears it and its Meta.

    Where nothing changes no version is made. Raises NotFound, Gone, PreconditionFailed
    (``if_match``), and what an update raises.
    """

    async def attempt() -> Version:
        head = await repository.read(key)
        resource = json_text.decode(head.body or b"{}")
        resource["meta"] = CHANGES[way](resource.get("meta", {}), meta)
        try:
            outcome = await repository.update(
                key, resource, if_match=if_match or head.version, blob=head.blob
            )
        except PreconditionFailed as refusal:
            if if_match is not None:
                raise
            raise Stale from refusal
        assert outcome.version is not None  # an update keeps something
        return outcome.version

    version = await settle(attempt)
    return version, _meta(version)


def _meta(version: Version) -> Resource:
    found: Resource = json_text.decode(version.body or b"{}").get("meta", {})
    return found


def _coding(system: str, code: str) -> Resource:
    return {"system": system, "code": code} if system else {"code": code}
