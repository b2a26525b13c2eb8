"""Whether a code is one: of a code system, of a value set; with its end and what replaced it.

https://hl7.org/fhir/R4/valueset-operation-validate-code.html and
https://hl7.org/fhir/R4/codesystem-operation-validate-code.html . A code that is over is still one;
it is said that it is over. Where only codes in use are members, it is none.
"""

from collections.abc import Sequence
from typing import NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.search.text_norm import normal
from passerelle.fhir.terminology.code_system import CodeSystem
from passerelle.fhir.terminology.concept_status import Coded, ConceptStatus
from passerelle.fhir.terminology.displays import display_in
from passerelle.fhir.terminology.grammars import holds
from passerelle.fhir.terminology.members import Expansion, Member, member_of


class Asked(NamedTuple):
    """How to look: when, in which languages, only at codes in use, also at abstract ones."""

    moment: int  # microseconds since 1970 UTC
    languages: tuple[str, ...] = ()
    active_only: bool = False
    abstract: bool = False


class Verdict(NamedTuple):
    """The answer: what is wrong or worth saying is in ``issues``."""

    result: bool
    issues: tuple[Issue, ...] = ()
    coded: Coded | None = None
    display: str | None = None
    version: str | None = None
    status: ConceptStatus | None = None
    is_over: bool = False


def in_value_set(
    expansion: Expansion, code: str, system: str | None, display: str | None, asked: Asked
) -> Verdict:
    """Look for a code among the members of a value set.

    Without a system, the code counts when just one system has it. When the expansion is not whole
    and does not have the code, the answer is no, and says that it may be for what is missing.
    """
    member = _member(expansion, code, system)
    if member is None and (found := expansion.by_rule(code, system)) is not None:
        ruled, held = found
        return _by_rule(ruled.system, code, held, "terminology.not-in-value-set", expansion.url)
    if member is None:
        rule = "terminology.not-in-value-set"
        if system is None and len(expansion.by_code.get(code, ())) > 1:
            rule = "terminology.system-needed"
        return Verdict(False, (issue(rule, url=expansion.url or "-"), *expansion.unresolved))
    only_active = asked.active_only or expansion.leaves_out_inactive
    return _judged(member, display, asked, only_active=only_active)


def by_rule(system: str, code: str) -> Verdict:
    """Judge a code of a system whose codes are said by a rule."""
    return _by_rule(system, code, holds(system, code), "terminology.code-unknown", system)


def _by_rule(system: str, code: str, held: bool | None, fault: str, url: str | None) -> Verdict:
    if held:
        return Verdict(True, (), Coded(system, code))
    if held is None:
        return Verdict(False, (issue("terminology.rule-not-sure", url=system),))
    return Verdict(False, (issue(fault, url=url or "-"),))


def in_code_system(system: CodeSystem, code: str, display: str | None, asked: Asked) -> Verdict:
    """Look for a code in a code system."""
    concept = system.find(code)
    if concept is None:
        rule = "terminology.code-unknown" if system.is_whole else "terminology.code-not-here"
        return Verdict(False, (issue(rule, url=system.url),))
    return _judged(member_of(system, concept), display, asked, only_active=asked.active_only)


def any_of(verdicts: Sequence[Verdict]) -> Verdict:
    """Judge a CodeableConcept: one good coding suffices; else all that is wrong is said."""
    good = next((verdict for verdict in verdicts if verdict.result), None)
    if good is not None:
        return good
    known = next((verdict for verdict in verdicts if verdict.coded is not None), Verdict(False))
    said = dict.fromkeys(each for verdict in verdicts for each in verdict.issues)
    return known._replace(issues=tuple(said) or (issue("terminology.no-coding"),))


def _member(expansion: Expansion, code: str, system: str | None) -> Member | None:
    if system is not None:
        found = expansion.members.get((system, code))
        if found is None and expansion.folded:
            found = expansion.folded.get((system, code.casefold()))
        return found
    listed = expansion.by_code.get(code, ())
    return listed[0] if len(listed) == 1 else None


def _judged(member: Member, display: str | None, asked: Asked, *, only_active: bool) -> Verdict:
    """Judge a code that is there: its display, its end."""
    status = member.status
    is_over = status.is_over(asked.moment)
    said: list[Issue] = []
    result = True
    if is_over:
        said.append(over_issue(status))
        result = not only_active
    if status.abstract and not asked.abstract:
        said.append(issue("terminology.abstract"))
        result = False
    shown = display_in(asked.languages, member.display, member.designations, member.language)
    if display is not None and not _is_called(member, display):
        said.insert(0, issue("terminology.display-wrong", display=shown or member.code))
        result = False
    coded = Coded(member.system, member.code, shown)
    return Verdict(result, tuple(said), coded, shown, member.version, status, is_over)


def over_issue(status: ConceptStatus) -> Issue:
    """Say that a code is over, since when, and what takes its place, as far as the data say."""
    successors = ", ".join(f"{each.system}|{each.code}" for each in status.successors)
    if status.ended is None:
        rule = "terminology.inactive-replaced" if successors else "terminology.inactive"
        return issue(rule, by=successors)
    rule = "terminology.ended-replaced" if successors else "terminology.ended"
    return issue(rule, date=status.ended[:10], by=successors)


def _is_called(member: Member, display: str) -> bool:
    """Tell whether a display is a name of the concept, whatever its case and accents."""
    wanted = normal(display)
    names = (member.display, *(each.value for each in member.designations))
    return any(name is not None and normal(name) == wanted for name in names) or (
        member.display is None
    )
