"""What reading a dossier back needs to know of all its resources: by reference, by member.

The EpisodeOfCare names the dossier (tag, platform); everything else is found from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.mappers.native.dossier import PERSON, SECTIONS
from passerelle.mappers.native.dossier_naming import Naming
from passerelle.mappers.resources.fhir_elements import own_of, parts_of


@dataclass(frozen=True, slots=True)
class Reading:
    """The resources of one dossier, by their relative reference, with the names they bear."""

    names: Naming
    team: Resource
    root: Resource  # the EpisodeOfCare; the team in records made before there was one
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

    def any_entry(self, reference: Mapping[str, Any] | None) -> str | None:
        """Read the native key of what a reference points to, of whatever section, or the person."""
        found = (self.entry(section, reference) for section in SECTIONS)
        return next((key for key in found if key is not None), None) or self.member(reference)

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
    if len(teams) != 1:
        raise Unprocessable(issue("dossier.record-incomplete", "CareTeam"))
    episodes = [entry for entry in resources if entry["resourceType"] == "EpisodeOfCare"]
    if len(episodes) > 1:
        raise Unprocessable(issue("dossier.record-incomplete", "EpisodeOfCare"))
    team = teams[0]
    root = episodes[0] if episodes else team
    meta = root.get("meta", {})
    source = parts_of(next(iter(own_of(root, "dossier-source")), None))
    platform = source.get("platform") or meta.get("source", "").partition("#")[0]
    tags = (tag for tag in meta.get("tag", ()) if tag.get("system") == DOSSIER_TAG)
    codes = [tag["code"] for tag in tags if "code" in tag]
    if not platform or len(codes) != 1:
        raise Unprocessable(issue("dossier.record-incomplete", "EpisodeOfCare.meta"))
    system, _, value = codes[0].partition("|")
    names = Naming(platform, system, value, {})
    index = {str(Key(entry["resourceType"], entry["id"])): entry for entry in resources}
    return Reading(names, team, root, index)
