"""What of an expansion is asked for, and the page of its members that answers it.

https://hl7.org/fhir/R4/valueset-operation-expand.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.search.text_norm import normal
from passerelle.fhir.terminology.members import Expansion, Member
from passerelle.fhir.terminology.pinned_versions import Pins
from passerelle.fhir.terminology.terminology_answers import Page, Shown

PAGE_MAX = 10_000
"""Codes in one answer; what has more is asked for by pages."""

PLAIN = Shown()
NO_PINS = Pins()


@dataclass(frozen=True, slots=True)
class ExpandAsked:
    """What of an expansion is wanted. ``excluded``: systems that are left out."""

    text: str | None = None
    offset: int | None = None
    count: int | None = None
    active_only: bool = False
    languages: tuple[str, ...] = ()
    shown: Shown = PLAIN
    moment: int | None = None
    pins: Pins = NO_PINS
    excluded: tuple[str, ...] = ()


def chosen(expansion: Expansion, asked: ExpandAsked, moment: int) -> list[Member]:
    """Give the members that may be used, have the words of a text in a name, are in use then.

    Codes that only group others stand in no flat list.
    """
    out = frozenset(asked.excluded)
    members = [
        each
        for each in expansion.members.values()
        if not each.status.abstract and each.system not in out
    ]
    if asked.active_only or expansion.leaves_out_inactive:
        members = [each for each in members if not each.status.is_over(moment)]
    words = normal(asked.text).split() if asked.text else []
    if not words:
        return members
    return [each for each in members if _is_named(each, words)]


def _is_named(member: Member, words: Sequence[str]) -> bool:
    names = (member.code, member.display or "", *(each.value for each in member.designations))
    return any(all(word in name for word in words) for name in map(normal, names))


def page(members: Sequence[Member], asked: ExpandAsked) -> Page:
    """Cut the page that is asked for. Raises Unprocessable when it is too large for one answer."""
    start = asked.offset or 0
    size = len(members) - start if asked.count is None else asked.count
    if size > PAGE_MAX:
        raise Unprocessable(issue("terminology.page-too-large", limit=PAGE_MAX))
    return Page(members[start : start + max(size, 0)], len(members), asked.offset)


def told(asked: ExpandAsked) -> list[tuple[str, str, Any]]:
    """Give the inputs that the answer tells again: name, element name, value."""
    pins = (
        ("system-version", asked.pins.default),
        ("check-system-version", asked.pins.demanded),
        ("force-system-version", asked.pins.forced),
    )
    given = (
        ("filter", "valueString", asked.text),
        ("offset", "valueInteger", asked.offset),
        ("count", "valueInteger", asked.count),
        ("activeOnly", "valueBoolean", asked.active_only or None),
        ("includeDesignations", "valueBoolean", asked.shown.designations or None),
        ("displayLanguage", "valueCode", ",".join(asked.languages) or None),
        *(("exclude-system", "valueUri", url) for url in asked.excluded),
        *(("designation", "valueString", token) for token in asked.shown.only),
        *(
            (name, "valueUri", f"{url}|{version}")
            for name, versions in pins
            for url, version in versions.items()
        ),
    )
    return [each for each in given if each[2] is not None]
