"""A code system made ready to be asked: concepts by code, parents, children, status.

https://hl7.org/fhir/R4/codesystem.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.terminology.concept_status import ACTIVE, ConceptStatus, status_of

PARENT = frozenset({"parent", "subsumedBy"})
CHILD = frozenset({"child"})
_URI = "http://hl7.org/fhir/concept-properties#"
USABLE = frozenset({"complete", "fragment", "example"})
"""Kinds of content that hold concepts of their own."""

DEPTH_MAX = 60
"""As deep as concepts may be nested in one another."""


class Designation(NamedTuple):
    """Another way to call a concept; ``use`` is a Coding."""

    value: str
    language: str | None = None
    use: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept; ``properties`` are (code, element name, value), e.g. valueDateTime.

    ``supplemented`` are properties that supplements add.
    """

    code: str
    display: str | None = None
    definition: str | None = None
    designations: tuple[Designation, ...] = ()
    properties: tuple[tuple[str, str, Any], ...] = ()
    status: ConceptStatus = ACTIVE
    supplemented: tuple[tuple[str, str, Any], ...] = ()


class CodeSystem:
    """A code system. ``concepts`` keeps the order of the resource."""

    __slots__ = (
        "_folded",
        "case_sensitive",
        "children",
        "concepts",
        "content",
        "language",
        "name",
        "parents",
        "supplements",
        "title",
        "url",
        "version",
    )

    def __init__(self, resource: Resource, supplements: Sequence[Resource] = ()) -> None:
        """Make it of a CodeSystem that has been checked, or published in a package.

        ``supplements`` add names and properties; neither hierarchy nor status nor what a filter
        takes changes by them (https://hl7.org/fhir/R4/codesystem.html#supplements).
        """
        self.url: str = resource.get("url", "")
        self.version: str | None = resource.get("version")
        self.name: str | None = resource.get("name")
        self.title: str | None = resource.get("title")
        self.language: str | None = resource.get("language")
        self.content: str = resource.get("content", "complete")
        self.case_sensitive: bool = resource.get("caseSensitive") is not False
        self.concepts: dict[str, Concept] = {}
        self.parents: dict[str, tuple[str, ...]] = {}
        self.children: dict[str, tuple[str, ...]] = {}
        self.supplements: tuple[str, ...] = tuple(
            each["url"] for each in supplements if isinstance(each.get("url"), str)
        )
        self._read(resource)
        for each in supplements:
            self._add(each)
        self._folded: dict[str, str] = {}
        if not self.case_sensitive:
            self._folded = {code.casefold(): code for code in reversed(self.concepts)}

    @property
    def is_whole(self) -> bool:
        """Whether a code that is not here is no code of the system."""
        return self.content == "complete"

    def find(self, code: str) -> Concept | None:
        """Give the concept of a code, in any case when the system says that case is no matter."""
        found = self.concepts.get(code)
        if found is None and self._folded:
            found = self.concepts.get(self._folded.get(code.casefold(), ""))
        return found

    def descendants(self, code: str) -> frozenset[str]:
        """Give all codes below a code, without itself."""
        return _reach(self.children, code)

    def ancestors(self, code: str) -> frozenset[str]:
        """Give all codes above a code, without itself."""
        return _reach(self.parents, code)

    def _read(self, resource: Resource) -> None:
        up, down = _hierarchy_properties(resource)
        links: dict[tuple[str, str], None] = {}  # (parent, child), in order
        for concept, parent in _walk(resource.get("concept", ())):
            code = concept.get("code")
            if not isinstance(code, str):
                continue
            if parent is not None:
                links[parent, code] = None
            properties = tuple(_properties(concept))
            for name, _, value in properties:
                if name in up and isinstance(value, str):
                    links[value, code] = None
                elif name in down and isinstance(value, str):
                    links[code, value] = None
            if code not in self.concepts:
                self.concepts[code] = _concept(concept, code, properties, self.url)
        below: dict[str, list[str]] = {}
        above: dict[str, list[str]] = {}
        for parent, child in links:
            if parent in self.concepts and child in self.concepts and parent != child:
                below.setdefault(parent, []).append(child)
                above.setdefault(child, []).append(parent)
        self.children = {code: tuple(codes) for code, codes in below.items()}
        self.parents = {code: tuple(codes) for code, codes in above.items()}

    def _add(self, supplement: Resource) -> None:
        """Add what a supplement says of concepts that there are."""
        language = supplement.get("language")
        for concept, _ in _walk(supplement.get("concept", ())):
            there = self.concepts.get(str(concept.get("code")))
            if there is None:
                continue
            names = designations(concept)
            display = concept.get("display")
            if isinstance(display, str) and display != there.display:
                names = (Designation(display, language), *names)
            self.concepts[there.code] = replace(
                there,
                designations=(*there.designations, *names),
                supplemented=(*there.supplemented, *_properties(concept)),
            )


def _reach(edges: Mapping[str, Sequence[str]], start: str) -> frozenset[str]:
    """Give all that can be reached from a code; a circle ends where it began."""
    seen: set[str] = set()
    waiting = list(edges.get(start, ()))
    while waiting:
        code = waiting.pop()
        if code not in seen:
            seen.add(code)
            waiting.extend(edges.get(code, ()))
    seen.discard(start)
    return frozenset(seen)


def _walk(concepts: Sequence[Resource]) -> Iterator[tuple[Resource, str | None]]:
    """Give every concept with the code of the one that it is nested in, in order."""
    waiting: list[tuple[Resource, str | None, int]]
    waiting = [(concept, None, 0) for concept in reversed(concepts)]
    while waiting:
        concept, parent, depth = waiting.pop()
        yield concept, parent
        if depth < DEPTH_MAX:
            inner = concept.get("concept", ())
            waiting.extend((each, concept.get("code"), depth + 1) for each in reversed(inner))


def _hierarchy_properties(resource: Resource) -> tuple[frozenset[str], frozenset[str]]:
    """Give the names of the properties that lead up and down, usual or declared."""
    up, down = set(PARENT), set(CHILD)
    for each in resource.get("property", ()):
        uri = str(each.get("uri", ""))
        if uri == _URI + "parent":
            up.add(each.get("code"))
        elif uri == _URI + "child":
            down.add(each.get("code"))
    return frozenset(up), frozenset(down)


def _properties(concept: Resource) -> Iterator[tuple[str, str, Any]]:
    for each in concept.get("property", ()):
        for name, value in each.items():
            if name.startswith("value"):
                yield str(each.get("code", "")), name, value


def _concept(
    concept: Resource, code: str, properties: tuple[tuple[str, str, Any], ...], system: str
) -> Concept:
    said = [(name, value) for name, _, value in properties]
    return Concept(
        code,
        concept.get("display"),
        concept.get("definition"),
        designations(concept),
        properties,
        status_of(concept, said, system),
    )


def designations(concept: Resource) -> tuple[Designation, ...]:
    """Read the designations of a concept of a code system or of a value set."""
    return tuple(
        Designation(each["value"], each.get("language"), each.get("use"))
        for each in concept.get("designation", ())
        if isinstance(each.get("value"), str)
    )
