"""From a resource that came in to the draft that is kept: rules first, then what is derived.

The way of every write through the one door (house section 4): structure, identity rules, the
matricule that may not leave set apart, then body, index rows, rights columns, claims, digest.
"""

import base64
import hashlib
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from passerelle.dossiers.claims import claims
from passerelle.dossiers.gateway import InsPolicy
from passerelle.dossiers.rights_columns import rights_columns
from passerelle.dossiers.turns import apart
from passerelle.dossiers.writing_policy import Profiles
from passerelle.errors.refusals import Invalid, Issue, Unprocessable
from passerelle.fhir import json_text, served_body
from passerelle.fhir.conformance import structure
from passerelle.fhir.document_sharing import pdsm_rules
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search import added_parameters, any_reference, extraction
from passerelle.fhir.search.index_rows import IndexRows
from passerelle.fhir.search.registry import STANDARD, Registry
from passerelle.ins import masking, patient_identity, withholding
from passerelle.ins import rules as ins_rules
from passerelle.store.caller import Caller
from passerelle.store.contract import Claim, Draft, RightsColumns, Store

DIGEST_BYTES = 16


class Prepared(NamedTuple):
    """A draft, the bytes to keep along with it, the version it was made beside (``Put.beside``)."""

    draft: Draft
    blobs: tuple[bytes, ...] = ()
    beside: int | None = None


def faults(
    resource: Resource,
    ins: InsPolicy,
    registry: Registry = STANDARD,
    *,
    profiles: Profiles = "enforce",
) -> tuple[list[Issue], list[Issue]]:
    """Give (structure faults, issues of rules) of a resource, all at once.

    The rules of identity, of search parameters and of shared documents read a sound structure only,
    so they are asked when the first list is empty. ``registry`` has the parameters that there are,
    ``profiles`` is the policy of profiles.
    """
    structural = structure.check(resource)
    if any(is_grave(said) for said in structural):
        return structural, []
    if resource["resourceType"] == "SearchParameter":
        return structural, list(added_parameters.faults(resource, registry))
    if resource["resourceType"] in ("DocumentReference", "List"):
        said = pdsm_rules.check(resource)
        return structural, said if profiles == "enforce" else [told(one) for one in said]
    if resource["resourceType"] != "Patient":
        return structural, []
    return structural, ins_rules.check_patient(resource, allow_test=ins.allow_test)


def demand(
    resource: Resource,
    ins: InsPolicy,
    registry: Registry = STANDARD,
    *,
    profiles: Profiles = "enforce",
) -> tuple[Issue, ...]:
    """Give the warnings of a resource that may be kept.

    Raises Invalid (structure, 400) or Unprocessable (another rule, 422), with all issues.
    """
    structural, identity = faults(resource, ins, registry, profiles=profiles)
    if any(is_grave(said) for said in structural):
        raise Invalid(*structural)
    if any(is_grave(said) for said in identity):
        raise Unprocessable(*identity)
    return (*structural, *identity)


def profiles_of_patch(found: Resource, policy: Profiles) -> Profiles:
    """Give the policy for a patch of what is kept: what broke its profile before may be patched.

    It was kept while the policy was another one, or before there was any.
    """
    return "warn" if any(is_grave(one) for one in pdsm_rules.check(found)) else policy


def told(said: Issue) -> Issue:
    """Give an issue as a warning: what is told only, where the policy of profiles is to warn."""
    return replace(said, severity="warning") if is_grave(said) else said


def is_grave(said: Issue) -> bool:
    """Tell whether an issue keeps a resource from being kept."""
    return said.severity in ("fatal", "error")


def derive(
    resource: Resource, registry: Registry = STANDARD, *, refers: bool = True
) -> tuple[IndexRows, RightsColumns, tuple[Claim, ...]]:
    """Give all that is derived from a body as served; used at write, by check and by reindex.

    Without ``refers`` it is known that there is no reference anywhere in it.
    """
    rows = extraction.extract(resource, registry)
    if refers:
        rows = rows._replace(links=(*rows.links, *any_reference.links(resource)))
    return rows, rights_columns(resource), claims(resource)


async def prepare(
    store: Store,
    caller: Caller,
    key: Key,
    resource: Resource,
    *,
    must_be_new: bool = False,
    blob: str | None = None,
    parts: int | None = None,
) -> Prepared:
    """Make the draft of a resource that has passed :func:`demand`, and the bytes kept with it.

    ``parts`` is its weight, where that is known.
    A matricule set apart earlier stays when a Patient comes back without any INS: the one who
    sends it was never shown it, so its absence says nothing. What ``must_be_new`` has none.
    """
    heavy = resource if parts is None else parts
    made = partial(draft, key, registry=store.parameters.registry)
    if resource["resourceType"] == "Binary":
        resource, data = await apart(heavy, take_data, resource)
        if data is not None:
            digest = hashlib.sha256(data)
            return Prepared(made(resource, blob=digest.hexdigest()), (data,))
        return Prepared(made(resource, blob=blob))
    if (
        must_be_new
        or resource["resourceType"] != "Patient"
        or patient_identity.matricules(resource)
    ):
        return Prepared(await apart(heavy, made, resource))
    head = await store.read(key, caller)
    if head is None:
        return Prepared(await apart(heavy, made, resource), beside=0)
    return Prepared(await apart(heavy, made, resource, aside=head.aside), beside=head.version)


def draft(
    key: Key,
    resource: Resource,
    *,
    registry: Registry,
    blob: str | None = None,
    aside: bytes | None = None,
) -> Draft:
    """Make the draft of a resource that has passed :func:`demand`.

    A Patient's matricule that may not leave goes aside here, and one that stands anywhere else
    (contained, linked, a reference by identifier) is masked, before anything is derived, so that
    neither the body nor an index ever holds it. ``aside`` is what already stands apart.
    ``registry`` has the search parameters; the commit sees that they are those of the record.
    """
    if resource["resourceType"] == "Patient":
        resource, withheld = withholding.withhold(resource)
        aside = json_text.encode(withheld) if withheld else aside
    before, between, after = served_body.split(resource, key)
    if masking.may_hold((before, after)):
        masked = masking.mask(resource)
        if masked is not resource:
            resource = masked
            before, between, after = served_body.split(resource, key)
    refers = any_reference.may_refer((before, after))
    rows, rights, claimed = derive(resource, registry, refers=refers)
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in (before, between, after, aside or b"", (blob or "").encode()):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return Draft(
        key=key,
        before=before,
        between=between,
        after=after,
        digest=digest.digest(),
        rows=rows,
        rights=rights,
        claims=claimed,
        aside=aside,
        blob=blob,
        stamp=registry.stamp,
    )


def take_data(resource: Resource) -> tuple[Resource, bytes | None]:
    """Part a Binary from its bytes: they are a blob, never in a JSON body (house section 3)."""
    if resource.get("resourceType") != "Binary" or "data" not in resource:
        return resource, None
    data = base64.b64decode("".join(str(resource["data"]).split()), validate=True)
    return {name: value for name, value in resource.items() if name != "data"}, data
