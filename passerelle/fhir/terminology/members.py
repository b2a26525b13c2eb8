"""What a value set comes to: its members, and what can be said of codes that are not listed.

https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.expansion
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.fhir.resource import Resource
from passerelle.fhir.terminology.canonicals import Canonical
from passerelle.fhir.terminology.code_system import CodeSystem, Concept, Designation, designations
from passerelle.fhir.terminology.concept_status import ACTIVE, ConceptStatus
from passerelle.fhir.terminology.grammars import Ruled


class Member(NamedTuple):
    """One code of a value set, with what is known of it."""

    system: str
    code: str
    display: str | None = None
    version: str | None = None
    designations: tuple[Designation, ...] = ()
    status: ConceptStatus = ACTIVE
    definition: str | None = None
    language: str | None = None  # of the display


Members = dict[tuple[str, str], Member]


@dataclass(frozen=True, slots=True)
class Expansion:
    """The members of a value set, whenever they are looked at.

    ``unresolved`` says what could not be computed: the members are then not all, or too many.
    ``leaves_out_inactive`` is ``compose.inactive = false``. ``used`` are the code systems.
    ``ruled`` are systems whose codes no list holds, less the codes that are ``barred``.
    """

    url: str | None
    version: str | None
    name: str | None
    members: Mapping[tuple[str, str], Member]
    unresolved: tuple[Issue, ...] = ()
    used: tuple[Canonical, ...] = ()
    leaves_out_inactive: bool = False
    is_published: bool = False
    language: str | None = None
    by_code: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    folded: Mapping[tuple[str, str], Member] = field(default_factory=dict)
    ruled: tuple[Ruled, ...] = ()
    barred: frozenset[tuple[str, str]] = frozenset()

    def by_rule(self, code: str, system: str | None) -> tuple[Ruled, bool | None] | None:
        """Give the rule that a code falls under, and whether it holds (None: that is not known).

        Without a system, the one rule that there is counts. None: there is no rule for it.
        """
        found = [each for each in self.ruled if system in (None, each.system)]
        if not found or (system is None and len({each.system for each in self.ruled}) > 1):
            return None
        if (found[0].system, code) in self.barred:
            return found[0], False
        held = [each.holds(code) for each in found]
        return found[0], True if True in held else None if None in held else False


class Met:
    """What was met while a value set was computed, beside its members."""

    __slots__ = ("barred", "insensitive", "misses", "ruled", "unresolved", "used")

    def __init__(self) -> None:
        self.unresolved: dict[Issue, None] = {}
        self.misses = 0
        self.used: dict[Canonical, None] = {}
        self.insensitive: set[str] = set()
        self.ruled: dict[Ruled, None] = {}
        self.barred: set[tuple[str, str]] = set()

    def unresolve(self, *issues: Issue) -> None:
        """Note what could not be computed; the same may be missed more than once."""
        self.misses += len(issues)
        self.unresolved.update(dict.fromkeys(issues))


def expansion(
    value_set: Resource, members: Members, met: Met, *, published: bool = False
) -> Expansion:
    """Make the expansion of a value set; with a published one nothing is left unresolved."""
    by_code: dict[str, list[Member]] = {}
    for member in members.values():
        by_code.setdefault(member.code, []).append(member)
    return Expansion(
        url=value_set.get("url"),
        version=value_set.get("version"),
        name=value_set.get("title") or value_set.get("name"),
        members=members,
        unresolved=() if published else tuple(met.unresolved),
        used=() if published else tuple(met.used),
        leaves_out_inactive=value_set.get("compose", {}).get("inactive") is False,
        is_published=published,
        language=value_set.get("language"),
        by_code={code: tuple(listed) for code, listed in by_code.items()},
        folded={
            (system, code.casefold()): member
            for (system, code), member in reversed(members.items())
            if system in met.insensitive
        },
        ruled=tuple(met.ruled),
        barred=frozenset(met.barred),
    )


def member_of(system: CodeSystem, concept: Concept) -> Member:
    """Make the member that a concept of a code system is."""
    return Member(
        system.url,
        concept.code,
        concept.display,
        system.version,
        concept.designations,
        concept.status,
        concept.definition,
        system.language,
    )


def listed(url: str, part: Resource, system: CodeSystem | None) -> Members:
    """Give the concepts that a value set lists; its own words go before those of the system."""
    found: Members = {}
    for each in part["concept"]:
        code = each.get("code")
        if not isinstance(code, str):
            continue
        concept = None if system is None else system.find(code)
        own = designations(each)
        if concept is None or system is None:
            version = part.get("version")
            found[url, code] = Member(url, code, each.get("display"), version, own)
            continue
        member = member_of(system, concept)
        found[url, concept.code] = member._replace(
            display=each.get("display") or member.display,
            designations=(*own, *member.designations),
        )
    return found


def in_all(parts: Iterable[Mapping[tuple[str, str], Member]]) -> Mapping[tuple[str, str], Member]:
    """Give the members of the first that are in all the others; the best told one."""
    first, *others = [*parts] or [{}]
    if not others:
        return first
    return {key: member for key, member in first.items() if all(key in part for part in others)}


def of_expansion(value_set: Resource) -> Members:
    """Read the members of an expansion that was published, nested ones after their parent."""
    found: Members = {}
    waiting = list(reversed(value_set["expansion"].get("contains", ())))
    while waiting:
        each = waiting.pop()
        waiting.extend(reversed(each.get("contains", ())))
        system, code = each.get("system"), each.get("code")
        if not isinstance(system, str) or not isinstance(code, str):
            continue
        status = ConceptStatus(
            inactive=each.get("inactive") is True, abstract=each.get("abstract") is True
        )
        found[system, code] = Member(
            system, code, each.get("display"), each.get("version"), designations(each), status
        )
    return found
