"""PATCH: JSON Patch and FHIRPath Patch, of one resource or of the one that criteria designate.

https://hl7.org/fhir/R4/http.html#patch , https://hl7.org/fhir/R4/fhirpatch.html .
"""

from passerelle.api.rest import interactions, negotiation
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid, UnsupportedMedia
from passerelle.errors.rules import issue
from passerelle.fhir.patch import patch
from passerelle.fhir.patch.patch import Patch

JSON_PATCH = "application/json-patch+json"
OTHER_PATCHES = frozenset({"application/xml-patch+xml", "application/merge-patch+json"})
FORMATS = (JSON_PATCH, negotiation.FHIR_JSON, negotiation.FHIR_XML)
"""What the CapabilityStatement claims: a FHIRPath Patch is a resource like any other."""


async def patch_one(repository: Repository, request: Request) -> Reply:
    """Patch the resource of the address."""
    key = interactions.instance_key(request)
    expected = negotiation.if_match(request.header(b"if-match"))
    change = await _patch(request)
    outcome = await repository.patch(key, change, if_match=expected)
    return interactions.written(outcome, repository, request)


async def patch_matching(repository: Repository, request: Request) -> Reply:
    """Patch the one resource that the criteria designate."""
    criteria = interactions.criteria_of(request)
    expected = negotiation.if_match(request.header(b"if-match"))
    change = await _patch(request)
    outcome = await repository.patch_matching(request.type, criteria, change, if_match=expected)
    return interactions.written(outcome, repository, request)


async def _patch(request: Request) -> Patch:
    """Read the body by its media type. Raises UnsupportedMedia, Invalid."""
    media = negotiation.ranges(request.header(b"content-type") or "")
    if len(media) != 1 or media[0].type in OTHER_PATCHES:
        raise UnsupportedMedia(issue("patch.media-type"))
    if media[0].type != JSON_PATCH:
        return patch.of_parameters(await request.resource())
    if dict(media[0].parameters).get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMedia(issue("http.charset-not-read"))
    body = await request.body()
    if not body:
        raise Invalid(issue("http.body-missing"))
    return patch.of_json(body)
