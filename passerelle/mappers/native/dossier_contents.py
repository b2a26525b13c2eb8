"""What the schema cannot say of an entry: order of periods, bytes of files, names of members.

Each check takes an entry and gives (rule, place inside the entry, parts of the text).
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.mappers.native import form_contents
from passerelle.mappers.native.dossier import Entry, place_of
from passerelle.mappers.native.dossier_dates import ends_before
from passerelle.mappers.native.dossier_faults import Fault, pointer
from passerelle.mappers.native.dossier_references import Sound
from passerelle.mappers.resources.patient_identity import is_ins
from passerelle.mappers.resources.professionals_practitioner import national_id


class Found(NamedTuple):
    """A rule that is broken, where in the entry, and the parts of its text."""

    rule: str
    place: tuple[str | int, ...]
    parts: Mapping[str, object] = {}


_SPANS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "pathways": (("start", "end"),),
    "notes": (("createdAt", "editedAt"),),
    "events": (("start", "end"),),
}
"""Section to the members of an entry of which the second may not come before the first."""


def check(sound: Sound, *, attachment_size_max: int) -> list[Fault]:
    """Give the faults of content of the entries that have the right shape."""
    faults = [
        Fault(
            issue(found.rule, pointer((*place_of(section), index, *found.place)), **found.parts),
            (section, entry["key"]),
        )
        for section, entries in sound.items()
        for index, entry in entries.items()
        for found in _entry(section, entry, attachment_size_max)
    ]
    return faults + list(_conflicts(sound.get("circle", {})))


def check_root(content: Mapping[str, Any]) -> list[Issue]:
    """Give the faults of the root and of the person that are no question of shape."""
    person = content["person"]
    issues = [
        issue("dossier.ins-as-identifier", f"/person/identifiers/{index}/system")
        for index, identifier in enumerate(person["identifiers"])
        if is_ins(identifier)
    ]
    issues += [
        issue("dossier.period-order", f"/person/identity/ins/history/{index}/until")
        for index, former in enumerate(person["identity"].get("ins", {}).get("history", ()))
        if "from" in former and "until" in former and ends_before(former["from"], former["until"])
    ]
    if "closedAt" in content and ends_before(content["openedAt"], content["closedAt"]):
        issues.append(issue("dossier.period-order", "/closedAt"))
    return issues


def _entry(section: str, entry: Entry, size_max: int) -> Iterator[Found]:
    if section == "circle":
        yield from _periods(entry["periods"])
    for start, end in _SPANS.get(section, ()):
        if end in entry and ends_before(entry[start], entry[end]):
            yield Found("dossier.period-order", (end,))
    if section == "appointments" and "end" in entry and _not_after(entry["start"], entry["end"]):
        yield Found("dossier.period-order", ("end",))
    if section == "alerts" and "until" in entry and ends_before(entry["raisedAt"], entry["until"]):
        yield Found("dossier.period-order", ("until",))
    if section == "forms":
        yield from (Found(*found) for found in form_contents.check(entry))
    if section == "documents":
        act = entry.get("act", {})
        if "end" in act and ends_before(act["start"], act["end"]):
            yield Found("dossier.period-order", ("act", "end"))
    for index, file in enumerate(entry.get("files", ())):
        for found in _file(file, size_max):
            yield Found(found.rule, ("files", index, *found.place), found.parts)


def _periods(periods: list[Entry]) -> Iterator[Found]:
    for index, period in enumerate(periods):
        if "end" in period and ends_before(period["start"], period["end"]):
            yield Found("dossier.period-order", ("periods", index, "end"))
        if index and ends_before(periods[index - 1]["start"], period["start"]):
            yield Found("dossier.periods-order", ("periods", index, "start"))


def _not_after(start: str, end: str) -> bool:
    return not ends_before(end, start)


def _file(file: Entry, size_max: int) -> Iterator[Found]:
    if "data" not in file:
        return
    if len(file["data"]) > (size_max + 2) // 3 * 4:
        yield Found("dossier.attachment-too-large", ("data",), {"limit": size_max})
        return
    data = _decoded(file["data"])
    if data is None:
        yield Found("dossier.attachment-base64", ("data",))
        return
    if len(data) > size_max:
        yield Found("dossier.attachment-too-large", ("data",), {"limit": size_max})
    if file.get("size", len(data)) != len(data):
        yield Found("dossier.attachment-size", ("size",))
    if "sha256" in file and file["sha256"] != sha256(data).hexdigest():
        yield Found("dossier.attachment-hash", ("sha256",))


def _decoded(text: str) -> bytes | None:
    """Read base64 that has one spelling only, so that it comes back as it was sent."""
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return None
    return data if b64encode(data).decode() == text else None


def _conflicts(circle: Mapping[int, Entry]) -> Iterator[Fault]:
    """Find members that bear the national identifier of an earlier one under another name."""
    names: dict[str, tuple[str, str]] = {}
    for index, member in circle.items():
        professional = member.get("professional", {})
        if "nationalId" not in professional:
            continue
        number = national_id(professional["nationalId"]).idnps
        name = (
            professional["familyName"].casefold(),
            professional.get("givenName", "").casefold(),
        )
        if names.setdefault(number, name) != name:
            place = pointer(("circle", index, "professional", "nationalId"))
            yield Fault(issue("dossier.member-conflict", place), ("circle", member["key"]))
