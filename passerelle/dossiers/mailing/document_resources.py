"""The resources that a document is made of: its author, who keeps it, whom it is about."""

from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Gone, NotFound
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key, Resource
from passerelle.mappers.cda.cda_from_fhir import DocumentResources
from passerelle.mappers.cda.cda_from_fhir_actors import ActorResources


async def document_resources(
    repository: Repository, reference: Resource, patient: Resource
) -> DocumentResources:
    """Read what a DocumentReference refers to; what is not there is left out."""
    custodian = await _resolved(repository, reference, reference.get("custodian"))
    author = await _actor(repository, reference, next(iter(reference.get("author", ())), None))
    if author.organization is None and author.device is None and custodian is not None:
        author = ActorResources(author.role, author.practitioner, custodian, None)
    authenticator = reference.get("authenticator")
    return DocumentResources(
        patient=patient,
        document_reference=reference,
        author=author,
        custodian=custodian or {},
        authenticator=await _actor(repository, reference, authenticator) if authenticator else None,
    )


async def _actor(
    repository: Repository, reference: Resource, link: Resource | None
) -> ActorResources:
    """Read who a reference designates: a role is followed to its practitioner and structure."""
    found = await _resolved(repository, reference, link)
    if found is None:
        return ActorResources()
    type_ = found["resourceType"]
    if type_ == "PractitionerRole":
        return ActorResources(
            role=found,
            practitioner=await _resolved(repository, reference, found.get("practitioner")),
            organization=await _resolved(repository, reference, found.get("organization")),
        )
    if type_ == "Organization":
        return ActorResources(organization=found)
    if type_ == "Device":
        return ActorResources(device=found)
    return ActorResources(practitioner=found)


async def _resolved(
    repository: Repository, reference: Resource, link: Resource | None
) -> Resource | None:
    """Follow a reference: contained (``#id``), or local; None when it leads nowhere here."""
    address = str((link or {}).get("reference", ""))
    if address.startswith("#"):
        for contained in reference.get("contained", ()):
            if contained.get("id") == address[1:]:
                return dict(contained)
        return None
    path = address.removeprefix(f"{repository.gateway.base_url}/").split("/")
    if len(path) < 2 or not path[1]:
        return None
    try:
        version = await repository.read(Key(path[0], path[1]))
    except (NotFound, Gone):
        return None
    return json_text.decode(version.body or b"")
