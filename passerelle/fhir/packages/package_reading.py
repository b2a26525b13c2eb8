"""A FHIR package: its manifest, its conformance resources, its examples.

https://confluence.hl7.org/display/FHIR/NPM+Package+Specification . Resources stand in the folder
``package``, examples in ``package/example``; other folders are for people and other programs.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.packages.tar_reading import Limits, Member, members
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.urls import PACKAGE_TAG

SERVED = frozenset(
    {
        "ActivityDefinition",
        "CapabilityStatement",
        "CodeSystem",
        "CompartmentDefinition",
        "ConceptMap",
        "ExampleScenario",
        "GraphDefinition",
        "ImplementationGuide",
        "MessageDefinition",
        "NamingSystem",
        "OperationDefinition",
        "PlanDefinition",
        "Questionnaire",
        "SearchParameter",
        "StructureDefinition",
        "StructureMap",
        "TerminologyCapabilities",
        "ValueSet",
    }
)
"""Types that say how to speak and never speak of a person: what the record takes of a package."""

FHIR_VERSIONS = frozenset({"4.0", "4.0.0", "4.0.1"})
NAME = re.compile(r"[a-z0-9][a-z0-9\-]*(?:\.[a-z0-9][a-z0-9\-]*)*\Z")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+\-_]*\Z")
TEXT_MAX = 100
ID_HASH_BYTES = 6
ID_MAX = 64
_UNSAID = re.compile(r"[^A-Za-z0-9.\-]+")


class PackageKey(NamedTuple):
    """Name and version, spelled ``hl7.fhir.r4.core#4.0.1``."""

    name: str
    version: str

    def __str__(self) -> str:
        """Spell it as packages are asked for."""
        return f"{self.name}#{self.version}"


class Packaged(NamedTuple):
    """One conformance resource: where it stood in the package, the key it takes in the record.

    It is kept as text: a package may weigh ten times more once all of it is read.
    """

    path: str
    key: Key
    package: PackageKey
    body: bytes

    @property
    def resource(self) -> Resource:
        """The resource as published, with the tag that names its package; read each time."""
        return tagged(json_text.decode(self.body), self.package)


@dataclass(frozen=True, slots=True)
class Package:
    """What was in a package; ``digest`` is the SHA-256 of the archive, ``issues`` are warnings."""

    key: PackageKey
    digest: str
    canonical: str | None
    title: str | None
    dependencies: Mapping[str, str]
    resources: tuple[Packaged, ...]
    examples: int
    issues: tuple[Issue, ...]


def parse_key(text: str) -> PackageKey | None:
    """Read ``name#version`` (or ``name@version``, as npm has it); None when it is neither."""
    name, mark, version = text.partition("#" if "#" in text else "@")
    if not mark or not NAME.match(name) or not VERSION.match(version):
        return None
    return PackageKey(name, version)


def read_package(body: bytes, limits: Limits | None = None) -> Package:
    """Read a package from the bytes of its archive.

    Files that cannot be read as a resource are left out, with a warning. Raises Invalid:
    what :func:`tar_reading.members` refuses, package.no-manifest, bad-manifest, fhir-version.
    """
    manifest: Mapping[str, Any] | None = None
    found: list[Member] = []
    examples = 0
    for member in members(body, limits):
        folder, _, name = member.path.rpartition("/")
        if member.path == "package/package.json":
            manifest = json_text.decode(member.body)
        elif folder == "package" and name.endswith(".json") and not name.startswith("."):
            found.append(member)
        elif folder in ("package/example", "package/examples") and name.endswith(".json"):
            examples += 1
    if manifest is None:
        raise Invalid(issue("package.no-manifest"))
    key = _demand_key(manifest)
    _demand_fhir_version(manifest)
    resources, others, issues = _resources(key, found)
    return Package(
        key=key,
        digest=hashlib.sha256(body).hexdigest(),
        canonical=_text(manifest.get("canonical")),
        title=_text(manifest.get("title")),
        dependencies=_dependencies(manifest),
        resources=resources,
        examples=examples + others,
        issues=issues,
    )


def _demand_key(manifest: Mapping[str, Any]) -> PackageKey:
    name, version = manifest.get("name"), manifest.get("version")
    fine = isinstance(name, str) and isinstance(version, str)
    key = parse_key(f"{name}#{version}") if fine else None
    if key is None or max(map(len, key)) > TEXT_MAX:
        raise Invalid(issue("package.bad-manifest", "package/package.json"))
    return key


def _demand_fhir_version(manifest: Mapping[str, Any]) -> None:
    """See that a package is of R4; one that does not say is taken to be."""
    said = manifest.get("fhirVersions", manifest.get("fhir-version-list"))
    if isinstance(said, list) and said and not FHIR_VERSIONS.intersection(map(str, said)):
        raise Invalid(issue("package.fhir-version", "package/package.json"))


def _dependencies(manifest: Mapping[str, Any]) -> dict[str, str]:
    said = manifest.get("dependencies")
    if not isinstance(said, dict):
        return {}
    return {name: version for name, version in said.items() if isinstance(version, str)}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _resources(
    package: PackageKey, found: list[Member]
) -> tuple[tuple[Packaged, ...], int, tuple[Issue, ...]]:
    """Give what the record takes, how many other resources there were, and the warnings."""
    taken: list[Packaged] = []
    others = 0
    issues: list[Issue] = []
    for member in found:
        try:
            resource = json_text.decode(member.body)
        except Invalid:
            issues.append(issue("package.file-unreadable", member.path))
            continue
        type_ = resource.get("resourceType")
        if type_ in SERVED:
            key = record_key(package, member.path, resource)
            taken.append(Packaged(member.path, key, package, member.body))
        elif isinstance(type_, str):
            others += 1
    return tuple(taken), others, tuple(issues)


def record_key(package: PackageKey, path: str, resource: Resource) -> Key:
    """Give the key in the record: the id as published, made unique by package and path.

    The same file of the same package always comes to the same key, so adding twice adds nothing;
    two versions of a guide, or two guides, never meet.
    """
    said = hashlib.blake2b(f"{package}/{path}".encode(), digest_size=ID_HASH_BYTES).hexdigest()
    id_ = _UNSAID.sub("-", str(resource.get("id") or path.rpartition("/")[2][:-5]))
    return Key(resource["resourceType"], f"{id_[: ID_MAX - len(said) - 1]}-{said}")


def tagged(resource: Resource, package: PackageKey) -> Resource:
    """Give the resource with the tag that names its package; everything else as published."""
    said = resource.get("meta")
    meta = dict(said) if isinstance(said, dict) else {}
    tags = meta.get("tag")
    others = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    meta["tag"] = [*others, {"system": PACKAGE_TAG, "code": str(package)}]
    return {**resource, "meta": meta}
