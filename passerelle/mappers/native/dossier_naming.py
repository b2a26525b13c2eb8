"""How the resources of a dossier are named: identifiers, deterministic ids, references.

``identifier {system: <platform>/<section>, value: <dossier>/<key>}``; the id is the version 5 UUID
(https://www.rfc-editor.org/rfc/rfc9562#section-5.5) of type, system and value. ``/`` and ``%``
inside a part are written ``%2F`` and ``%25``, so that two entries never share a name. A dossier
whose identifier is of another domain than ``<platform>/dossiers`` puts that domain in front.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.mappers.native.dossier import PERSON, Dossier
from passerelle.mappers.resources.fhir_elements import Element

NAMESPACE = UUID("5f0c3c5e-6d0b-5c53-9f6e-0d1f6f3b1a77")
"""Never to be changed: every id of the record hangs on it."""

KIND_TYPES = {
    "professional": "PractitionerRole",
    "relative": "RelatedPerson",
    "structure": "Organization",
}
"""Which resource type stands for a member of the circle, by its kind."""

SUPPORTING = {"files": "documents"}
"""Domains of supporting resources that are not called as the section of their entry."""

KnownIds = Mapping[tuple[str, str, str], str]
"""(type, system, value) of an identifier to the id of the resource that bears it already."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Names for one dossier of one platform."""

    platform: str
    dossier_system: str
    dossier_value: str
    known_ids: KnownIds

    def identifier(self, section: str, *key: str) -> Element:
        """Give the identifier of an entry; no key for what is named by the section alone."""
        return {"system": self.domain(section), "value": "/".join(map(_escaped, self._path(key)))}

    def domain(self, section: str) -> str:
        """Give the identifier system of a section."""
        return f"{self.platform.rstrip('/')}/{section}"

    @property
    def root(self) -> Key:
        """Give the key of the dossier's own resource."""
        named = {"system": self.dossier_system, "value": self.dossier_value}
        return self.key("EpisodeOfCare", named)

    def key(self, type: str, identifier: Mapping[str, str]) -> Key:
        """Give the key of the resource that bears an identifier: the known id, else its own."""
        system, value = identifier["system"], identifier["value"]
        return Key(
            type, self.known_ids.get((type, system, value)) or str(own_uuid(type, system, value))
        )

    def reference(self, type: str, identifier: Mapping[str, str]) -> Element:
        """Give a reference to the resource that bears an identifier, with the identifier."""
        return _reference(self, type, identifier)

    def entry_key(self, section: str, identifier: Mapping[str, str] | None) -> str | None:
        """Read the native key back from an identifier; None when it is not of this dossier."""
        path = self._named(section, identifier)
        return path[0] if len(path) == 1 else None

    def supported(self, identifier: Mapping[str, str]) -> tuple[str, str] | None:
        """Give (section, key) of the entry that a supporting resource of this identifier is of.

        None for an entry's own resource, and for what is not of this dossier.
        """
        domain = identifier.get("system", "").rpartition("/")[2]
        path = self._named(domain, identifier)
        return (SUPPORTING.get(domain, domain), path[0]) if len(path) > 1 else None

    def _named(self, section: str, identifier: Mapping[str, str] | None) -> list[str]:
        """Read what an identifier names inside the dossier; empty when it is of another."""
        if not identifier or identifier.get("system") != self.domain(section):
            return []
        prefix = "/".join(map(_escaped, self._path(()))) + "/"
        value = identifier.get("value", "")
        return list(map(_plain, value[len(prefix) :].split("/"))) * value.startswith(prefix)

    def _path(self, key: tuple[str, ...]) -> tuple[str, ...]:
        domain = () if self.dossier_system == self.domain("dossiers") else (self.dossier_system,)
        return (*domain, self.dossier_value, *key)


def naming(dossier: Dossier, known_ids: KnownIds) -> Naming:
    """Give the names of a dossier."""
    return Naming(dossier.platform, dossier.system, dossier.value, known_ids)


def own_uuid(type: str, system: str, value: str) -> UUID:
    """Give the deterministic UUID of an identifier of a type."""
    return uuid5(NAMESPACE, f"{type}|{system}|{value}")


@dataclass(frozen=True, slots=True)
class MemberReferences:
    """References to the members of a circle and to the person, by native member reference.

    Each carries the identifier beside the address, so that reading needs no other resource.
    """

    references: Mapping[str, Element]
    displays: Mapping[str, str]

    def to(self, member: str | None) -> Element | None:
        """Give a reference to a member, None for None; raises KeyError for an unknown one."""
        return None if member is None else dict(self.references[member])

    def type_of(self, member: str) -> str:
        """Give the resource type that stands for a member."""
        return str(self.references[member]["reference"]).partition("/")[0]


def member_references(dossier: Dossier, names: Naming) -> MemberReferences:
    """Give the references to all members of a dossier's circle and to its person."""
    local = dossier.content["person"]["identifiers"][0]
    references = {PERSON: _reference(names, "Patient", local)}
    displays = {}
    for member in dossier.section("circle"):
        identifier = names.identifier("circle", member["key"])
        references[member["key"]] = _reference(names, KIND_TYPES[member["kind"]], identifier)
        displays[member["key"]] = _display(member)
    return MemberReferences(references, displays)


def resource(
    names: Naming, type: str, identifier: Mapping[str, str], profile: str | None, *, tagged: bool
) -> Resource:
    """Begin a resource: type, id and meta with source, profile and, unless shared, the tag."""
    meta: Element = {"source": names.platform}
    if profile:
        meta["profile"] = [profile]
    if tagged:
        code = f"{names.dossier_system}|{names.dossier_value}"
        meta["tag"] = [{"system": DOSSIER_TAG, "code": code}]
    return {"resourceType": type, "id": names.key(type, identifier).id, "meta": meta}


def merge_tags(old: Resource, new: Resource) -> Resource:
    """Give ``new`` with the tags of both, the old ones first: for what several dossiers share."""
    tags = list(old.get("meta", {}).get("tag", ()))
    tags += [tag for tag in new.get("meta", {}).get("tag", ()) if tag not in tags]
    return {**new, "meta": {**new.get("meta", {}), "tag": tags}} if tags else new


def _reference(names: Naming, type: str, identifier: Mapping[str, str]) -> Element:
    return {
        "reference": str(names.key(type, identifier)),
        "identifier": {"system": identifier["system"], "value": identifier["value"]},
    }


def _display(member: Element) -> str:
    if member["kind"] == "structure":
        return str(member["structure"]["name"])
    person = member[member["kind"]]
    names = (person.get("title"), person.get("givenName"), person["familyName"])
    return " ".join(name for name in names if name)


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace("/", "%2F")


def _plain(part: str) -> str:
    return part.replace("%2F", "/").replace("%25", "%")
