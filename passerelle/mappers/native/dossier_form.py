"""Reading the native form: bytes to a dossier, with all of its faults at once.

House section 4, "a dossier comes in". In strict mode the caller refuses on any error among the
issues; in lenient mode it takes ``dossier``, from which the entries at fault are already gone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from passerelle.errors.refusals import Issue, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.json_text import decode
from passerelle.mappers.native import (
    dossier_contents,
    dossier_identity,
    dossier_references,
    dossier_shape,
)
from passerelle.mappers.native.dossier import (
    SECTIONS,
    Dossier,
    entries_in,
    normal,
    place_of,
    with_entries,
)
from passerelle.mappers.native.dossier_faults import WHOLE, EntryName, Fault, entry_name, pointer
from passerelle.mappers.native.dossier_references import Sound

ATTACHMENT_SIZE_MAX = 20 * 1024 * 1024
"""Bytes of a file that may come inside the form; larger ones come by their address."""


@dataclass(frozen=True, slots=True)
class ParsedDossier:
    """What was read: the dossier without the entries at fault, the issues, and who was refused.

    ``refused`` holds (section, key); the key is ``#<index>`` for an entry without one and ``*`` for
    a whole section. A member reference of the root that names nobody is left out, and stands here
    as ("dossier", "lead"), ("dossier", "closure.by") or ("dossier", "person.death.declaredBy").
    """

    dossier: Dossier
    issues: tuple[Issue, ...]
    refused: frozenset[EntryName]


def parse(
    body: bytes,
    *,
    known: frozenset[EntryName] = frozenset(),
    attachment_size_max: int = ATTACHMENT_SIZE_MAX,
) -> ParsedDossier:
    """Read a native dossier.

    ``known`` names the entries that the record holds for this dossier already (``Dossier.keys``):
    references may point to them. Raises Invalid for what is no JSON object, Unprocessable with
    every issue when the root, the person or the managing structure is at fault.
    """
    content = decode(body)
    faults = dossier_shape.check(content)
    faults += _duplicates(content)
    sound = _sound(content, faults)
    contents = dossier_contents.check(sound, attachment_size_max=attachment_size_max)
    faults += contents
    _remove(sound, contents)
    faults += dossier_references.check(sound, known)
    content = _without_whole(content, faults)
    if all(fault.entry is not None for fault in faults):
        faults += [Fault(found, None) for found in dossier_contents.check_root(content)]
        identity = content["person"]["identity"]
        faults += [Fault(found, None) for found in dossier_identity.check(identity)]
        faults += dossier_references.check_root(content, sound, known)
    issues = tuple(fault.issue for fault in faults)
    if any(fault.entry is None for fault in faults):
        raise Unprocessable(*issues)
    refused = frozenset(fault.entry for fault in faults if fault.entry is not None)
    taken = content
    for name in SECTIONS:
        taken = with_entries(taken, name, (sound[name][at] for at in sorted(sound[name])))
    kept = dossier_references.without(taken, refused)
    whole, suspended = _whole(content, refused)
    dossier = normal({**kept, "complete": whole})
    missing = tuple(_consents_missing(content, dossier, known))
    return ParsedDossier(dossier, issues + suspended + missing, refused)


def _without_whole(content: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Leave out the sections that are refused as a whole, with what stands beside their entries."""
    refused = {fault.entry[0] for fault in faults if fault.entry and fault.entry[1] == WHOLE}
    gone = {place_of(section)[0] for section in refused}
    return {name: value for name, value in content.items() if name not in gone}


def _whole(
    content: dict[str, Any], refused: frozenset[EntryName]
) -> tuple[list[str], tuple[Issue, ...]]:
    """Keep the sections sent whole from which nothing was refused: what is absent there is ended,
    and a refused entry is not absent.
    """
    sections = {section for section, _ in refused}
    listed = content.get("complete", [])
    suspended = tuple(
        issue("dossier.complete-suspended", pointer(("complete", index)), section=name)
        for index, name in enumerate(listed)
        if name in sections
    )
    return [name for name in listed if name not in sections], suspended


def _consents_missing(
    content: Mapping[str, Any], dossier: Dossier, known: frozenset[EntryName]
) -> Iterator[Issue]:
    """Tell of members whose consent is no decision of the dossier: they are listed without it."""
    decided = known | dossier.keys()
    taken = {member["key"] for member in dossier.section("circle")}
    for index, member in enumerate(entries_in(content, "circle")):
        if entry_name("circle", index, member)[1] not in taken:
            continue
        if "consent" in member and ("sharing", member["consent"]) not in decided:
            yield issue("dossier.consent-missing", pointer(("circle", index, "consent")))


def _duplicates(content: dict[str, Any]) -> list[Fault]:
    """Refuse every entry whose key is not its own: nothing says which of them is meant."""
    faults = []
    for section in SECTIONS:
        names = [
            entry_name(section, index, entry)
            for index, entry in enumerate(entries_in(content, section))
        ]
        count = Counter(names)
        faults += [
            Fault(
                issue(
                    "dossier.duplicate-key",
                    pointer((*place_of(section), index, "key")),
                    section=section,
                ),
                name,
            )
            for index, name in enumerate(names)
            if count[name] > 1
        ]
    return faults


def _sound(content: dict[str, Any], faults: list[Fault]) -> Sound:
    """Give the entries without a fault so far, by section and index."""
    refused = {fault.entry for fault in faults}
    return {
        section: {
            index: entry
            for index, entry in enumerate(entries_in(content, section))
            if (section, WHOLE) not in refused and entry_name(section, index, entry) not in refused
        }
        for section in SECTIONS
    }


def _remove(sound: Sound, faults: list[Fault]) -> None:
    refused = {fault.entry for fault in faults}
    for section, entries in sound.items():
        for index in [i for i, entry in entries.items() if (section, entry["key"]) in refused]:
            del entries[index]
