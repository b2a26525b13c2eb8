"""A document that replaces another one: the other is superseded in the same commit.

https://profiles.ihe.net/ITI/MHD/ITI-65.html (2:3.65.4.1.2.3) and
https://interop.esante.gouv.fr/ig/fhir/pdsm/st_ajout.html . A source says so itself with a PATCH in
its bundle; where it does not, the gateway does it, as an XDS registry would. Only for what declares
a profile of document sharing.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

from passerelle.dossiers import keeping
from passerelle.dossiers.conditions import condition
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Issue, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.document_sharing.pdsm_profiles import COMPREHENSIVE, is_shared, profiles
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.resource import Key, Resource
from passerelle.store.caller import Caller
from passerelle.store.contract import Put, Version

TYPE = "DocumentReference"
RELATIONS_MAX = 20
"""As many of one document are looked up."""

ALREADY = "document.replaced-already"
"""What is no news where a replacement is only written again."""


@dataclass(slots=True)
class Replaced:
    """What replacements come to: documents to supersede, and what there is to say of them."""

    superseded: dict[Key, Put] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


class Relation(NamedTuple):
    """A ``relatesTo`` that leads to this record: its place, its code and its target."""

    place: str
    code: str
    key: Key | None


async def replace(
    gateway: Gateway, caller: Caller, document: Resource, written: Collection[Key]
) -> Replaced:
    """Supersede what a document replaces, unless the same commit writes (or deletes) it anyway.

    The issues are those of the document: an error when what it replaces is about somebody else.
    """
    made = Replaced()
    if not is_shared(document):
        return made
    for relation in await _relations(gateway, caller, document):
        if relation.code != "replaces" or relation.key in written:
            continue
        head = None if relation.key is None else await gateway.store.read(relation.key, caller)
        if head is None or head.body is None:
            made.issues.append(issue("document.partial-replace", relation.place))
            continue
        old = json_text.decode(head.body)
        if _is_of_another(old, document, gateway.base_url):
            place = f"{relation.place}.target"
            made.issues.append(issue("document.replaced-other-person", place))
        elif old.get("status") != "current":
            made.issues.append(issue(ALREADY, relation.place))
        else:
            put = await _superseded(gateway, caller, head, old)
            made.superseded[put.draft.key] = put
    return made


async def check(
    gateway: Gateway, caller: Caller, document: Resource, made: Mapping[Key, Resource]
) -> list[Issue]:
    """constr-bind-relatesToTarget: what a PDSm document is related to is a PDSm document as well.

    ``made`` has the resources of the same commit. What is not there yet is not looked at, nor what
    was withdrawn: PDSm has no such status, so that it cannot declare the profile.
    """
    if document.get("resourceType") != TYPE or COMPREHENSIVE not in profiles(document):
        return []
    found: list[Issue] = []
    for relation in await _relations(gateway, caller, document):
        target = None if relation.key is None else made.get(relation.key)
        if target is None and relation.key is not None:
            head = await gateway.store.read(relation.key, caller)
            target = None if head is None or head.body is None else json_text.decode(head.body)
        if target is None or target.get("status") == "entered-in-error":
            continue
        if COMPREHENSIVE not in profiles(target):
            said = issue("document.replaced-not-shared", f"{relation.place}.target")
            found.append(said if gateway.writing.profiles == "enforce" else keeping.told(said))
    return found


async def _relations(gateway: Gateway, caller: Caller, document: Resource) -> list[Relation]:
    return [
        Relation(place, code, await _key(gateway, caller, target))
        for place, code, target in islice(_stated(document), RELATIONS_MAX)
    ]


def _stated(document: Resource) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, relation in enumerate(document.get("relatesTo", ())):
        place = f"{TYPE}.relatesTo[{number}]"
        yield place, str(relation.get("code")), relation.get("target") or {}


async def _key(gateway: Gateway, caller: Caller, target: Mapping[str, Any]) -> Key | None:
    """Give what a target designates here, by its address or by its identifier; else None."""
    if isinstance(target.get("reference"), str):
        key = key_of(target["reference"], gateway.base_url)
        return key if key is not None and key.type == TYPE else None
    identifier = target.get("identifier") or {}
    if not identifier.get("value"):
        return None
    pairs = (_plain(str(identifier.get(name, ""))) for name in ("system", "value"))
    try:
        query = await condition(gateway, caller, TYPE, f"identifier={'|'.join(pairs)}")
    except PasserelleError:
        return None
    ids = await gateway.store.matching(query, caller, limit=2)
    return Key(TYPE, ids[0]) if len(ids) == 1 else None


def _plain(text: str) -> str:
    """Write a value of a token as it stands in an address."""
    escaped = text.replace("\\", "\\\\")
    for sign in ",|$":
        escaped = escaped.replace(sign, f"\\{sign}")
    return quote(escaped, safe="")


def _is_of_another(old: Resource, new: Resource, base_url: str) -> bool:
    """Tell whether two documents name two Patients of this record."""
    subjects = [str((one.get("subject") or {}).get("reference", "")) for one in (old, new)]
    keys = [key_of(subject, base_url) for subject in subjects]
    return None not in keys and keys[0] != keys[1]


async def _superseded(gateway: Gateway, caller: Caller, head: Version, old: Resource) -> Put:
    after = old | {"status": "superseded"}
    kept = await keeping.prepare(gateway.store, caller, head.key, after)
    return Put(kept.draft, beside=head.version)
