"""Which business identifiers may belong to one resource only.

A source names its things in identifier domains of its own: those under its address
(``meta.source``). There an identifier designates one resource, by constraint. Identifiers that
several sources carry (INS, RPPS, FINESS) are never claimed: there is one Patient per source.
"""

from passerelle.dossiers.rights_columns import PACKAGE, rights_columns
from passerelle.fhir.resource import Resource
from passerelle.fhir.search import added_parameters
from passerelle.fhir.search.index_bounds import key
from passerelle.store.contract import Claim


def claim_of(system: str, value: str) -> Claim:
    """Make the claim of an identifier, as long as a key of an index may be."""
    return Claim(key(system), key(value))


def claims(resource: Resource) -> tuple[Claim, ...]:
    """Give the identifiers of a checked resource that lie in its source's own domains.

    Of a SearchParameter: the codes that it takes up.
    """
    if resource.get("resourceType") == "SearchParameter":
        return _codes(resource)
    source = (resource.get("meta") or {}).get("source")
    if not source:
        return ()
    domain = source.split("#", 1)[0].rstrip("/") + "/"
    identifiers = resource.get("identifier") or ()
    if isinstance(identifiers, dict):
        identifiers = (identifiers,)
    found = {
        claim_of(identifier["system"], identifier["value"])
        for identifier in identifiers
        if identifier.get("value") and str(identifier.get("system", "")).startswith(domain)
    }
    return tuple(sorted(found))


def _codes(definition: Resource) -> tuple[Claim, ...]:
    """Give type and code of each parameter that a SearchParameter of a client's stands for.

    Two that are written at once cannot both have a code. What packages bring, versions of one
    guide side by side, is chosen among instead.
    """
    if rights_columns(definition).element == PACKAGE:
        return ()
    read = added_parameters.read(definition)
    return tuple(sorted(claim_of(each.type, each.code) for each in read.parameters))
