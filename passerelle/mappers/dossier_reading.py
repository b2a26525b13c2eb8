"""What reading a dossier back needs to know of all its resources: by reference, by member.

The CareTeam names the dossier (identifier, platform); everything else is found from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Key, Resource
from passerelle.mappers.dossier import PERSON
from passerelle.mappers.dossier_naming import Naming
from passerelle.mappers.fhir_elements import Element


@dataclass(frozen=True, slots=True)
class Reading:
    """The resources of one dossier, by their relative reference, with the names they bear."""

    names: Naming
    team: Resource
    resources: Mapping[str, Resource]

    def of_type(self, type: str) -> list[Resource]:
        """Give the resources of a type, in the order in which they were given."""
        return [entry for entry in self.resources.values() if entry["resourceType"] == type]

    def target(self, reference: Mapping[str, Any] | None) -> Resource | None:
        """Give the resource that a reference points to, None when it was not given."""
        return self.resources.get((reference or {}).get("reference", ""))

    def key_of(self, section: str, entry: Mapping[str, Any] | None) -> str | None:
        """Read the native key of a resource of a section, None when it has none."""
        found = (entry or {}).get("identifier", ())
        identifiers = [found] if isinstance(found, dict) else found
        keys = (self.names.entry_key(section, identifier) for identifier in identifiers)
        return next((key for key in keys if key is not None), None)

    def entry(self, section: str, reference: Mapping[str, Any] | None) -> str | None:
        """Read the native key of what a reference points to: by the resource, else by the name."""
        if reference is None:
            return None
        return self.key_of(section, self.target(reference)) or self.names.entry_key(
            section, reference.get("identifier")
        )

    def member(self, reference: Mapping[str, Any] | None) -> str | None:
        """Read a native member reference: a key of the circle, or ``person``."""
        if reference is None:
            return None
        if str(reference.get("reference", "")).startswith("Patient/"):
            return PERSON
        return self.entry("circle", reference)

    def entries(self, section: str, type: str) -> list[tuple[str, Resource]]:
        """Give (key, resource) of a section, in the order in which they were given."""
        keyed = ((self.key_of(section, entry), entry) for entry in self.of_type(type))
        return [(key, entry) for key, entry in keyed if key is not None]


def reading(resources: Sequence[Resource]) -> Reading:
    """Index the resources of one dossier; raises Unprocessable when no single CareTeam is there."""
    teams = [entry for entry in resources if entry["resourceType"] == "CareTeam"]
    if len(teams) != 1 or not teams[0].get("identifier"):
        raise Unprocessable(issue("dossier.record-incomplete", "CareTeam"))
    team = teams[0]
    identifier: Element = team["identifier"][0]
    names = Naming(
        team.get("meta", {}).get("source", ""), identifier["system"], identifier["value"], {}
    )
    index = {str(Key(entry["resourceType"], entry["id"])): entry for entry in resources}
    return Reading(names, team, index)


def shared_references(resources: Sequence[Resource]) -> frozenset[Key]:
    """Name the organisations that reading needs and that carry no tag of the dossier.

    The caller adds them to what it found by the tag before it reads the dossier back.
    """
    found = set()
    for entry in resources:
        pointers = [entry.get("organization"), entry.get("partOf"), entry.get("custodian")]
        pointers += (
            entry.get("managingOrganization", ()) if entry["resourceType"] == "CareTeam" else ()
        )
        for pointer in pointers:
            type, _, id = str((pointer or {}).get("reference", "")).partition("/")
            if type == "Organization" and id:
                found.add(Key(type, id))
    return frozenset(found)
