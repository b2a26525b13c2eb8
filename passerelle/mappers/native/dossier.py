"""The native form of a dossier as a value: one JSON object in normal form, and its bytes.

The form is ``dossier.schema.json`` beside this file. Normal form: no empty list and no empty
object (they say the same as their absence), whole numbers as int; ``circle`` always stands.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

Entry: TypeAlias = dict[str, Any]
"""One entry of a section, or any other object of the native form."""

SECTIONS = ("circle", "documents", "appointments", "tasks")
"""The sections that are taken, in the order in which they are written."""

UNSUPPORTED = ("pathways", "sharing", "notes", "events", "forms", "alerts", "messages", "ext")
"""The sections that are refused, with an issue each."""

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
        return tuple(self.content.get(name, ()))

    def entry(self, section: str, key: str) -> Entry | None:
        """Give the entry of a section that bears a key."""
        return next((entry for entry in self.section(section) if entry["key"] == key), None)

    def keys(self) -> frozenset[tuple[str, str]]:
        """Give (section, key) of every entry."""
        return frozenset((name, entry["key"]) for name in SECTIONS for entry in self.section(name))


def normal(content: Mapping[str, Any]) -> Dossier:
    """Bring decoded JSON of the right shape to normal form, as a new value."""
    tidy = _normal(content)
    return Dossier({**tidy, "circle": tidy.get("circle", [])})


def dump(dossier: Dossier) -> bytes:
    """Write a dossier as canonical JSON: UTF-8, sorted names, no spaces."""
    return json.dumps(
        dossier.content, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


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
