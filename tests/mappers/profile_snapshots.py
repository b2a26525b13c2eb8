"""A light reader of profiles: cardinalities, fixed and pattern values, slices by their values.

https://hl7.org/fhir/R4/profiling.html . Terminology and invariants are not looked at.
"""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = (
    "hl7.fhir.r4.core-4.0.1",
    "hl7.fhir.fr.core-2.2.0",
    "ans.fhir.fr.cds-2.0.1",
    "ans.fhir.fr.cdl-3.0.0",
    "ans.fhir.fr.pdsm-3.1.1",
)
BASES = frozenset(
    {
        *("Task", "Binary", "EpisodeOfCare", "Linkage", "Consent"),
        *("QuestionnaireResponse", "Observation"),
        *("Flag", "CommunicationRequest", "Communication"),
    }
)


def profiles(shared: Path, wanted: frozenset[str]) -> dict[str, "Profile"]:
    """Read the wanted profiles, by canonical or by the name of a base type."""
    found: dict[str, Profile] = {}
    for package in PACKAGES:
        with tarfile.open(shared / "data" / "packages" / f"{package}.tgz") as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                if not name.startswith("StructureDefinition-") or not name.endswith(".json"):
                    continue
                stem = name.removeprefix("StructureDefinition-").removesuffix(".json")
                if any(url.rpartition("/")[2] == stem for url in wanted):
                    definition = json.load(archive.extractfile(member))  # type: ignore[arg-type]
                    key = stem if stem in BASES else definition["url"]
                    found[key] = Profile(definition["snapshot"]["element"])
    return found


@dataclass(frozen=True)
class Profile:
    elements: list[dict[str, Any]]

    def faults(self, resource: dict[str, Any]) -> list[str]:
        return list(self._under(self.elements[0]["id"], resource))

    def _under(self, parent: str, node: Any) -> Iterator[str]:
        if not isinstance(node, dict):
            return
        for element in self.elements:
            id = element["id"]
            head, _, last = id.rpartition(".")
            if head != parent or ":" in last:
                continue
            held = list(_held(node, last))
            yield from _counted(id, element, held)
            slices = [e for e in self.elements if e["id"].startswith(id + ":")]
            for value in held:
                yield from _fixed(id, element, value)
                yield from self._under(id, value)
            for part in slices:
                if "." not in part["id"][len(id) :]:
                    yield from self._sliced(element, part, held)

    def _sliced(
        self, element: dict[str, Any], part: dict[str, Any], held: list[Any]
    ) -> Iterator[str]:
        paths = [d["path"] for d in element.get("slicing", {}).get("discriminator", ())]
        within = [value for value in held if self._belongs(part, paths, value)]
        yield from _counted(part["id"], part, within)
        for value in within:
            yield from self._under(part["id"], value)

    def _belongs(self, part: dict[str, Any], paths: list[str], value: Any) -> bool:
        tests = []
        for path in paths:
            if path == "url":
                url = self._url(part)
                tests.append(url is not None and value.get("url") == url)
                continue
            id = part["id"] if path == "$this" else f"{part['id']}.{path}"
            expected = next(
                (_expected(e) for e in self.elements if e["id"] == id and _expected(e)), None
            )
            inner = [value] if path == "$this" else list(_deep(value, path.split(".")))
            tests.append(expected is not None and any(_matches(expected[1], one) for one in inner))
        return bool(tests) and all(tests)

    def _url(self, part: dict[str, Any]) -> str | None:
        for element in self.elements:
            if element["id"] == part["id"] + ".url" and "fixedUri" in element:
                return str(element["fixedUri"])
        for type in part.get("type", ()):
            for profile in type.get("profile", ()):
                return str(profile).partition("|")[0]
        return None


def _held(node: dict[str, Any], name: str) -> Iterator[Any]:
    if name.endswith("[x]"):
        stem = name[:-3]
        yield from (
            value
            for key, value in node.items()
            if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper()
        )
        return
    value = node.get(name, node.get("_" + name))
    yield from value if isinstance(value, list) else () if value is None else (value,)


def _deep(node: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield node
    elif isinstance(node, dict):
        for child in _held(node, path[0]):
            yield from _deep(child, path[1:])


def _counted(id: str, element: dict[str, Any], held: list[Any]) -> Iterator[str]:
    if len(held) < element.get("min", 0):
        yield f"{id}: {len(held)} of at least {element['min']}"
    if element.get("max", "*") != "*" and len(held) > int(element["max"]):
        yield f"{id}: {len(held)} of at most {element['max']}"


def _fixed(id: str, element: dict[str, Any], value: Any) -> Iterator[str]:
    expected = _expected(element)
    if expected is None:
        return
    exact, wanted = expected
    if value != wanted if exact else not _matches(wanted, value):
        yield f"{id}: not {json.dumps(wanted)}"


def _expected(element: dict[str, Any]) -> tuple[bool, Any] | None:
    for name, value in element.items():
        if name.startswith(("fixed", "pattern")):
            return name.startswith("fixed"), value
    return None


def _matches(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and _matches(wanted, value[name]) for name, wanted in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(_matches(wanted, one) for one in value) for wanted in pattern
        )
    return bool(pattern == value)
