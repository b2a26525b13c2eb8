"""The answers of the terminology operations as resources: Parameters, and an expanded ValueSet.

https://hl7.org/fhir/R4/terminology-service.html . What R4 has no parameter for, the end of a code
and what replaced it, has its own: ``inactive``, ``ended``, ``replacement``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.terminology.code_system import CodeSystem, Concept, Designation
from passerelle.fhir.terminology.concept_status import Coded, ConceptStatus
from passerelle.fhir.terminology.displays import display_in
from passerelle.fhir.terminology.grammars import LANGUAGES
from passerelle.fhir.terminology.members import Expansion, Member
from passerelle.fhir.terminology.translation import Match, is_translated
from passerelle.fhir.terminology.validation import Asked, Verdict, over_issue

_LEFT_OUT = frozenset({"text", "meta", "compose", "expansion", "contained"})
_COPIED = frozenset({"expansion", "meta", "text"})
"""What is not taken over: version, instant and tag of the package are of what is kept."""
LINKED = frozenset({"parent", "child"})


class Shown(NamedTuple):
    """How much of each member an expansion shows.

    ``only``: designations of these languages and uses (``urn:ietf:bcp:47|fr``, ``system|code``).
    """

    designations: bool = False
    definition: bool = False
    only: tuple[str, ...] = ()

    def takes(self, each: Designation) -> bool:
        """Tell whether a designation is shown."""
        if not self.only:
            return self.designations
        use = each.use or {}
        tokens = {f"{LANGUAGES}|{each.language}", f"{use.get('system', '')}|{use.get('code')}"}
        return not tokens.isdisjoint(self.only)


def parameters(parts: Iterable[dict[str, Any]]) -> Resource:
    """Make a Parameters resource; one without any parameter has no element of them."""
    listed = list(parts)
    return {"resourceType": "Parameters"} | ({"parameter": listed} if listed else {})


def validated(verdict: Verdict) -> Resource:
    """Answer ``$validate-code``."""
    return parameters(_verdict_parts(verdict))


def _verdict_parts(verdict: Verdict) -> Iterator[dict[str, Any]]:
    yield {"name": "result", "valueBoolean": verdict.result}
    if verdict.issues:
        yield {"name": "message", "valueString": " ".join(each.text for each in verdict.issues)}
    if verdict.display is not None:
        yield {"name": "display", "valueString": verdict.display}
    if verdict.coded is not None:
        yield {"name": "code", "valueCode": verdict.coded.code}
        yield {"name": "system", "valueUri": verdict.coded.system}
    if verdict.version is not None:
        yield {"name": "version", "valueString": verdict.version}
    if verdict.status is not None:
        yield from _status_parts(verdict.status, verdict.is_over)


def _status_parts(status: ConceptStatus, is_over: bool) -> Iterator[dict[str, Any]]:
    if is_over:
        yield {"name": "inactive", "valueBoolean": True}
    if status.ended is not None:
        yield {"name": "ended", "valueDateTime": status.ended}
    for successor in status.successors:
        yield {"name": "replacement", "valueCoding": coding(successor)}


def coding(coded: Coded) -> dict[str, Any]:
    """Make a Coding; elements without a value are left out."""
    made = {"system": coded.system, "code": coded.code, "display": coded.display}
    return {name: value for name, value in made.items() if value}


def looked_up(
    system: CodeSystem, concept: Concept, asked: Asked, wanted: Sequence[str] = ()
) -> Resource:
    """Answer ``$lookup``; ``wanted`` are the properties asked for, none for all."""
    return parameters(_lookup_parts(system, concept, asked, frozenset(wanted)))


def _lookup_parts(
    system: CodeSystem, concept: Concept, asked: Asked, wanted: frozenset[str]
) -> Iterator[dict[str, Any]]:
    yield {"name": "name", "valueString": system.title or system.name or system.url}
    if system.version is not None:
        yield {"name": "version", "valueString": system.version}
    shown = display_in(asked.languages, concept.display, concept.designations, system.language)
    yield {"name": "display", "valueString": shown or concept.code}
    for each in concept.designations:
        if not wanted or "designation" in wanted:
            yield {"name": "designation", "part": list(_designation_parts(each))}
    for name, element, value in _properties(system, concept):
        if not wanted or name in wanted:
            part = [{"name": "code", "valueCode": name}, {"name": "value", element: value}]
            yield {"name": "property", "part": part}
    is_over = concept.status.is_over(asked.moment)
    if is_over:
        yield {"name": "message", "valueString": over_issue(concept.status).text}
    yield from _status_parts(concept.status, is_over)


def _properties(system: CodeSystem, concept: Concept) -> Iterator[tuple[str, str, Any]]:
    """Give all properties of a concept, those that its place in the hierarchy gives first."""
    if concept.definition is not None:
        yield "definition", "valueString", concept.definition
    if concept.status.inactive:
        yield "inactive", "valueBoolean", True
    for parent in system.parents.get(concept.code, ()):
        yield "parent", "valueCode", parent
    for child in system.children.get(concept.code, ()):
        yield "child", "valueCode", child
    for name, element, value in (*concept.properties, *concept.supplemented):
        if name not in LINKED and name != "inactive":
            yield name, element, value


def _designation_parts(each: Designation) -> Iterator[dict[str, Any]]:
    if each.language is not None:
        yield {"name": "language", "valueCode": each.language}
    if each.use is not None:
        yield {"name": "use", "valueCoding": dict(each.use)}
    yield {"name": "value", "valueString": each.value}


def translated(matches: Sequence[Match], message: str | None = None) -> Resource:
    """Answer ``$translate``."""
    return parameters(_match_parts(matches, message))


def _match_parts(matches: Sequence[Match], message: str | None) -> Iterator[dict[str, Any]]:
    yield {"name": "result", "valueBoolean": is_translated(matches)}
    if message is not None:
        yield {"name": "message", "valueString": message}
    for match in matches:
        part: list[dict[str, Any]] = [{"name": "equivalence", "valueCode": match.equivalence}]
        if match.coded is not None:
            part.append({"name": "concept", "valueCoding": coding(match.coded)})
        for property_, product in match.products:
            concept = {"name": "concept", "valueCoding": coding(product)}
            element = {"name": "element", "valueUri": property_}
            part.append({"name": "product", "part": [element, concept]})
        if match.map is not None:
            part.append({"name": "source", "valueUri": match.map})
        yield {"name": "match", "part": part}


def subsumed(system: CodeSystem, code_a: str, code_b: str) -> Resource:
    """Answer ``$subsumes`` of two codes that the system has."""
    outcome = "not-subsumed"
    if code_a == code_b:
        outcome = "equivalent"
    elif code_a in system.ancestors(code_b):
        outcome = "subsumes"
    elif code_b in system.ancestors(code_a):
        outcome = "subsumed-by"
    return parameters([{"name": "outcome", "valueCode": outcome}])


class Page(NamedTuple):
    """A page of the members that were asked for, and how many there are in all."""

    members: Sequence[Member]
    total: int
    offset: int | None = None


def expanded(
    value_set: Resource,
    expansion: Expansion,
    page: Page,
    asked: Asked,
    *,
    shown: Shown,
    identifier: str,
    timestamp: str,
    given: Iterable[tuple[str, str, Any]] = (),
) -> Resource:
    """Answer ``$expand``: the value set with a page of its members.

    ``given`` are the inputs to tell again: name, element name, value.
    """
    left_out = _COPIED if shown.definition else _LEFT_OUT
    made = {name: value for name, value in value_set.items() if name not in left_out}
    told = [{"name": name, element: value} for name, element, value in given]
    told += [{"name": "used-codesystem", "valueUri": str(each)} for each in expansion.used]
    body: dict[str, Any] = {
        "identifier": identifier,
        "timestamp": timestamp,
        "total": page.total,
    }
    if page.offset is not None:
        body["offset"] = page.offset
    if told:
        body["parameter"] = told
    if page.members:
        body["contains"] = [_contained(each, asked, shown) for each in page.members]
    return made | {"expansion": body}


def _contained(member: Member, asked: Asked, shown: Shown) -> dict[str, Any]:
    made: dict[str, Any] = {"system": member.system}
    if member.status.abstract:
        made["abstract"] = True
    if member.status.is_over(asked.moment):
        made["inactive"] = True
    made["code"] = member.code
    display = display_in(asked.languages, member.display, member.designations, member.language)
    if display:
        made["display"] = display
    designations = [_designation(each) for each in member.designations if shown.takes(each)]
    if designations:
        made["designation"] = designations
    return made


def _designation(each: Designation) -> Mapping[str, Any]:
    made = {"language": each.language, "use": each.use, "value": each.value}
    return {name: value for name, value in made.items() if value is not None}
