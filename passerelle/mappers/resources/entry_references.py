"""References between the entries of a dossier, whatever their sections.

https://hl7.org/fhir/R4/references.html . Each carries the identifier beside the address, so that
the native key is read back from it alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from passerelle.mappers.native.dossier import SECTIONS, Dossier, Entry
from passerelle.mappers.native.dossier_naming import MemberReferences, Naming, member_references
from passerelle.mappers.native.dossier_sections import TABLE, homes
from passerelle.mappers.resources import professionals_practitioner
from passerelle.mappers.resources.fhir_elements import Element


@dataclass(frozen=True, slots=True)
class Entries:
    """What the entries of one dossier are made with."""

    names: Naming
    members: MemberReferences
    circle: Mapping[str, Entry]
    keys: frozenset[tuple[str, str]]
    custodian: Element
    homes: Mapping[tuple[str, str], str]
    held: Mapping[tuple[str, str], str]

    def to(self, section: str, key: str) -> Element:
        """Give a reference to an entry of a section."""
        identifier = self.names.identifier(section, key)
        types = TABLE[section].types
        own = self.homes.get((section, key)) or next(iter(types), None)
        address = self.names.key(own, identifier) if own else self.names.root
        return {"reference": str(address), "identifier": identifier}

    def practitioner(self, member: str) -> Element:
        """Give a reference to the Practitioner of a professional of the circle."""
        return professionals_practitioner.reference(self.circle[member], self.names)

    def about(self, key: str) -> Element | None:
        """Give a reference to the entry, of whatever section, that has a key, or the person."""
        for section in SECTIONS:
            if section != "circle" and (section, key) in self.keys:
                return self.to(section, key)
        return self.members.to(key)


def entries(
    dossier: Dossier,
    names: Naming,
    custodian: Element,
    known: frozenset[tuple[str, str]],
    held: Mapping[tuple[str, str], str],
) -> Entries:
    """Gather the references of a dossier; ``custodian`` is its managing structure.

    ``known`` names the entries that the record holds beside those of the dossier, ``held`` gives
    the types that it holds them as, where it hangs on the entry.
    """
    keys = known | dossier.keys()
    circle = {member["key"]: member for member in dossier.section("circle")}
    now = {**held, **homes(dossier)}
    members = member_references(dossier, names)
    return Entries(names, members, circle, keys, custodian, now, held)
