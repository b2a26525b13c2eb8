"""What value sets come to, said again in the plainest way: sets of (system, code).

https://hl7.org/fhir/R4/valueset.html#compose . Nothing of the gateway's own evaluation is used but
which of several versions is meant. Slow, recursive, and it gives up (None) on anything missing.
"""

import re
from collections.abc import Iterator
from typing import Any

from passerelle.fhir.terminology.canonicals import best

Codes = set[tuple[str, str]]


class Missing(Exception):
    """Something that is needed is not there."""


class Oracle:
    """Evaluates value sets over all terminology resources there are."""

    def __init__(self, resources: list[dict[str, Any]]) -> None:
        self.by_url: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for each in resources:
            self.by_url.setdefault((each["resourceType"], each.get("url", "")), []).append(each)

    def members(self, value_set: dict[str, Any]) -> Codes | None:
        """Give all codes, those that only group included; None when that cannot be computed."""
        try:
            return self._of_compose(value_set, ())
        except Missing:
            return None

    def _of_compose(self, value_set: dict[str, Any], path: tuple[str, ...]) -> Codes:
        if "compose" not in value_set or value_set["url"] in path:
            raise Missing
        compose, path = value_set["compose"], (*path, value_set["url"])
        included = [self._part(part, path) for part in compose.get("include", ())]
        excluded = [self._part(part, path) for part in compose.get("exclude", ())]
        return set().union(*included) - set().union(*excluded)

    def _part(self, part: dict[str, Any], path: tuple[str, ...]) -> Codes:
        sets = [self._imported(text, path) for text in part.get("valueSet", ())]
        if "system" in part:
            sets.append(self._of_system(part))
        return set.intersection(*sets)

    def _imported(self, text: str, path: tuple[str, ...]) -> Codes:
        url, _, version = text.partition("|")
        found = self.by_url.get(("ValueSet", url), [])
        chosen = best([each for each in found if "compose" in each], version or None)
        if chosen is None:
            raise Missing
        return self._of_compose(chosen, path)

    def _of_system(self, part: dict[str, Any]) -> Codes:
        url = part["system"]
        if "concept" in part:
            return {(url, self._spelled(part, each["code"])) for each in part["concept"]}
        concepts = self._concepts(url, part.get("version"))
        if concepts is None:
            raise Missing
        codes = set(concepts)
        for each in part.get("filter", ()):
            codes &= self._filtered(concepts, each)
        return {(url, code) for code in codes}

    def _spelled(self, part: dict[str, Any], code: str) -> str:
        """Give a code as its system spells it, where case is no matter."""
        system = self._system(part["system"], part.get("version")) or self._system(part["system"])
        if system is None or system.get("caseSensitive") is not False:
            return code
        known = [each["code"] for each, _ in walk(system.get("concept", ()))]
        if code in known:
            return code
        return next((each for each in known if each.casefold() == code.casefold()), code)

    def _system(self, url: str, version: str | None = None) -> dict[str, Any] | None:
        found = self.by_url.get(("CodeSystem", url), [])
        whole = [each for each in found if each.get("content") == "complete"]
        parts = [each for each in found if each.get("content") in ("fragment", "example")]
        return best(whole, version) or best(parts, version)

    def _concepts(self, url: str, version: str | None) -> dict[str, dict[str, Any]] | None:
        """Give the concepts of a whole system, each with ``up``: the codes right above it."""
        system = self._system(url, version)
        if system is None or system.get("content") != "complete":
            return None
        made: dict[str, dict[str, Any]] = {}
        for each, parent in walk(system.get("concept", ())):
            concept = made.setdefault(each["code"], each | {"up": set()})
            concept["up"] |= {parent} - {None, each["code"]}
            concept["up"] |= set(values(each, "parent")) | set(values(each, "subsumedBy"))
        for code, each in list(made.items()):
            for child in values(each, "child"):
                if child in made:
                    made[child]["up"].add(code)
        return made

    def _filtered(self, concepts: dict[str, dict[str, Any]], filter_: dict[str, Any]) -> set[str]:
        property_, op, value = filter_["property"], filter_["op"], filter_["value"]

        def is_below(code: str, seen: frozenset[str] = frozenset()) -> bool:
            up = concepts[code]["up"] & concepts.keys() - seen
            return value in up or any(is_below(each, seen | {code}) for each in up)

        if op in ("is-a", "descendent-of", "is-not-a"):
            below = {code for code in concepts if is_below(code)}
            itself = {value} & concepts.keys() if op != "descendent-of" else set()
            return concepts.keys() - below - itself if op == "is-not-a" else below | itself
        said = {code: set(told(each, property_)) for code, each in concepts.items()}
        if op == "=":
            return {code for code, texts in said.items() if value in texts}
        if op == "regex":
            return {c for c, texts in said.items() if any(re.fullmatch(value, t) for t in texts)}
        raise Missing


def walk(
    concepts: list[dict[str, Any]], parent: str | None = None
) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Give every concept with the code that it is nested in."""
    for each in concepts:
        yield each, parent
        yield from walk(each.get("concept", ()), each["code"])


def values(concept: dict[str, Any], name: str) -> Iterator[str]:
    """Give the values of a property."""
    for each in concept.get("property", ()):
        if each["code"] == name:
            yield str(next(value for key, value in each.items() if key.startswith("value")))


def told(concept: dict[str, Any], name: str) -> Iterator[str]:
    """Give what a concept says of a property, its own elements among them."""
    if name in ("concept", "code"):
        yield concept["code"]
    elif name == "parent":
        yield from concept["up"]
    elif name in ("display", "definition"):
        yield concept.get(name, "")
    else:
        yield from values(concept, name)
