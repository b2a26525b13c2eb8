"""A dossier to the FHIR resources that stand for it, each with a deterministic id.

House section 4, "a dossier comes in". Pure: the same dossier and the same known ids give the same
resources, to the byte.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from passerelle.fhir.resource import Key, Resource
from passerelle.mappers.native.dossier import PERSON, SECTIONS, Dossier
from passerelle.mappers.native.dossier_mappings import MAPPINGS, Role
from passerelle.mappers.native.dossier_naming import KnownIds, naming
from passerelle.mappers.resources import (
    circle_careteam,
    circle_members,
    documents_folders,
    dossier_episode,
    patient_resource,
    sharing_consents,
    structures_organization,
)
from passerelle.mappers.resources.entry_references import Entries, entries


class DossierResource(NamedTuple):
    """One resource of a dossier: the entry it stands for or supports, and its bytes (a Binary).

    ``section`` is dossier, person, managing, folders or a section of the form; ``key`` the native
    key, the name of a folder.
    """

    section: str
    key: str
    resource: Resource
    role: Role
    blob: bytes | None = None


def to_fhir(
    dossier: Dossier,
    *,
    known_ids: KnownIds,
    known: frozenset[tuple[str, str]] = frozenset(),
    folders: Sequence[Resource] = (),
    held: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> tuple[DossierResource, ...]:
    """Make all resources of a dossier, what is referred to before what refers to it.

    ``known_ids`` gives the id of a resource that bears an identifier already; ``known`` names the
    (section, key) of the entries that the record holds beside those here, ``folders`` are the
    Lists of the dossier as it holds them, ``held`` the types of its entries where these hang on
    the entry (``dossier_sections.homes``).
    Every reference must resolve (``dossier_form.parse`` sees to it): KeyError otherwise.
    """
    names = naming(dossier, known_ids)
    custodian = structures_organization.reference(dossier.content["managing"], names)
    around = entries(dossier, names, custodian, known, held)
    sections = (
        DossierResource(section, entry["key"], *made)
        for section in SECTIONS
        if (make := MAPPINGS[section].make) is not None
        for entry in dossier.section(section)
        for made in make(entry, around)
    )
    filed = documents_folders.to_fhir(dossier.section("documents"), around, folders)
    lists = (
        DossierResource(documents_folders.SECTION, name, held, "supporting") for name, held in filed
    )
    return tuple(_once((*_people(dossier, around), *sections, *lists)))


def _people(dossier: Dossier, around: Entries) -> Iterator[DossierResource]:
    root, names, members = dossier.content, around.names, around.members
    patient = members.to(PERSON) or {}
    yield DossierResource(
        "person", PERSON, patient_resource.to_fhir(root["person"], names, members), "primary"
    )
    yield DossierResource(
        "managing",
        "managing",
        structures_organization.to_fhir(root["managing"], names),
        "supporting",
    )
    circle = circle_members.Circle(names, members, patient)
    for member in dossier.section("circle"):
        for resource in circle_members.supporting(member, names):
            yield DossierResource("circle", member["key"], resource, "supporting")
        yield DossierResource(
            "circle", member["key"], circle_members.to_fhir(member, circle), "primary"
        )
    team = circle_careteam.to_fhir(dossier, names, members)
    yield DossierResource("dossier", dossier.value, team, "supporting")
    episode, *linkage = dossier_episode.to_fhir(dossier, names, members)
    yield DossierResource("dossier", dossier.value, episode, "primary")
    told = sharing_consents.information(root.get("sharing", {}), around)
    for resource in (*linkage, *([told] if told else ())):
        yield DossierResource("dossier", dossier.value, resource, "supporting")


def _once(made: tuple[DossierResource, ...]) -> Iterator[DossierResource]:
    """Keep the first of each key: what several entries share is there once."""
    seen: set[Key] = set()
    for entry in made:
        key = Key(entry.resource["resourceType"], entry.resource["id"])
        if key not in seen:
            seen.add(key)
            yield entry
