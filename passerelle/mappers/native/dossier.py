"""The native form of a dossier as a value: one JSON object in normal form, and its bytes.

The form is ``dossier.schema.json`` beside this file. Normal form: no empty list and no empty
object (they say the same as their absence), whole numbers as int; ``circle`` always stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from passerelle.fhir import json_text

Entry: TypeAlias = dict[str, Any]
"""One entry of a section, or any other object of the native form."""

SECTIONS = (
    "pathways",
    "sharing",
    "circle",
    "documents",
    "notes",
    "events",
    "forms",
    "appointments",
    "tasks",
    "alerts",
    "messages",
)
"""The sections, in the order in which they are written: ``dossier_sections``."""

Path: TypeAlias = tuple[str, ...]
"""Names of members, from outside in; ``*`` goes through a list, ``**items`` stays or goes to any
depth of such lists."""

PLACES: Mapping[str, Path] = {"sharing": ("sharing", "decisions")}
"""Where the entries of a section stand, unless at the root under its name."""

BESIDE: tuple[Path, ...] = (("ext",), ("sharing", "informed"), ("sharing", "protection"))
"""What stands beside the entries of sections and, like them, stays when a push lacks it."""

PERSON = "person"
"""The member reference that names the person cared for."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier in normal form. ``content`` is read, never changed; equality is by content."""

    content: Mapping[str, Any]

    @property
    def system(self) -> str:
        """Give the system of its identifier."""
        return str(self.content["id"]["system"])

    @property
    def value(self) -> str:
        """Give the value of its identifier."""
        return str(self.content["id"]["value"])

    @property
    def tag(self) -> str:
        """Give ``system|value``, the code of the tag that its resources carry."""
        return f"{self.system}|{self.value}"

    @property
    def platform(self) -> str:
        """Give the address of the platform that it comes from."""
        return str(self.content["source"]["platform"])

    @property
    def complete(self) -> frozenset[str]:
        """Give the sections that were sent whole."""
        return frozenset(self.content.get("complete", ()))

    def section(self, name: str) -> tuple[Entry, ...]:
        """Give the entries of a section in order, none when it is absent."""
        return tuple(entries_in(self.content, name))

    def entry(self, section: str, key: str) -> Entry | None:
        """Give the entry of a section that bears a key."""
        return next((entry for entry in self.section(section) if entry["key"] == key), None)

    def keys(self) -> frozenset[tuple[str, str]]:
        """Give (section, key) of every entry."""
        return frozenset((name, entry["key"]) for name in SECTIONS for entry in self.section(name))


def place_of(section: str) -> Path:
    """Give where the entries of a section stand."""
    return PLACES.get(section, (section,))


def entries_in(content: Mapping[str, Any], section: str) -> list[Any]:
    """Give what stands in the place of a section, as it came; nothing where there is no list."""
    found = value_in(content, place_of(section))
    return found if isinstance(found, list) else []


def value_in(content: Mapping[str, Any], place: Path) -> Any:
    """Give what stands in a place, None when nothing does."""
    found: Any = content
    for name in place:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def with_value(content: Mapping[str, Any], place: Path, value: Any) -> dict[str, Any]:
    """Give the form with this value in a place, and all else as it is."""
    name, *inner = place
    if not inner:
        return {**content, name: value}
    outer = content.get(name)
    below = outer if isinstance(outer, dict) else {}
    return {**content, name: with_value(below, tuple(inner), value)}


def with_entries(
    content: Mapping[str, Any], section: str, entries: Iterable[Entry]
) -> dict[str, Any]:
    """Give the form with these entries in a section, and all else as it is."""
    return with_value(content, place_of(section), list(entries))


def normal(content: Mapping[str, Any]) -> Dossier:
    """Bring decoded JSON of the right shape to normal form, as a new value."""
    tidy = _normal(content)
    return Dossier({**tidy, "circle": tidy.get("circle", [])})


def dump(dossier: Dossier) -> bytes:
    """Write a dossier as canonical JSON: UTF-8, sorted names, no spaces."""
    return json_text.encode(dossier.content, ordered=True)


def _normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        tidy = ((name, _normal(child)) for name, child in value.items())
        return {name: child for name, child in tidy if not _is_empty(child)}
    if isinstance(value, list | tuple):
        return [_normal(child) for child in value]
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def _is_empty(value: Any) -> bool:
    return isinstance(value, list | dict) and not value
