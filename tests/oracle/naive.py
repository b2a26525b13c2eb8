"""Searches answered by looking at every resource of a world, one after another.

https://hl7.org/fhir/R4/search.html . It has its own reading of names and texts, and takes of the
product only the table of what is a parameter of what type.
"""

from typing import Any

from passerelle.fhir.search.phonetic import phonetic
from passerelle.fhir.search.search_parameters import ANY, Parameter, parameters
from tests.oracle.escapes import apart, bare
from tests.oracle.intervals import (
    Between,
    amount,
    compares,
    moment,
    number_compares,
    prefixed,
    quantity_compares,
    span,
)
from tests.oracle.nodes import Nodes
from tests.oracle.said import (
    codes,
    folded,
    is_code,
    is_near,
    is_of_type,
    is_reference,
    is_uri,
    literal_of,
    strings,
    texts_beside,
)

Resource = dict[str, Any]
_TERMINOLOGICAL = ("in", "not-in", "above", "below")


class World:
    """The resources, when each was kept, and the codes that a terminology knows."""

    def __init__(
        self,
        resources: list[Resource],
        terms: dict[str, list[tuple[str, str]]],
        nodes: Nodes | None = None,
    ) -> None:
        self.nodes = nodes or Nodes()
        self.alive = [r for r in resources if not r.get("deleted")]
        self.at = {id(r): n for n, r in enumerate(resources, 1)}
        self.by_name = {f"{r['resourceType']}/{r['id']}": r for r in self.alive}
        self.terms = terms

    def found(self, type: str, name: str, text: str) -> list[Resource]:
        """Give what a criterion finds."""
        return [r for r in self.alive if r["resourceType"] == type and self.holds(r, name, text)]

    def holds(self, resource: Resource, name: str, text: str) -> bool:
        """Tell whether ``name=text`` holds of a resource."""
        if name == "_list":
            return self._listed(resource, text)
        if name.startswith("_has:"):
            return self._has(resource, name, text)
        head, dot, rest = name.partition(".")
        code, _, modifier = head.partition(":")
        parameter = parameters(resource["resourceType"]).get(code)
        if parameter is None:
            return False
        if dot:
            return any(
                self.holds(target, rest, text)
                for target in self.targets(resource, parameter, modifier)
            )
        return self._plain(resource, parameter, modifier, text)

    def targets(self, resource: Resource, parameter: Parameter, type: str) -> list[Resource]:
        """Give what a resource refers to: by its address, or by its identifier."""
        found = []
        for node in self.nodes.of(parameter, resource):
            target = self.by_name.get(literal_of(node) or "")
            led = [target] if target else []
            if isinstance(node, dict) and (node.get("identifier") or {}).get("system"):
                led += self._identified(node["identifier"])
            found += [
                each
                for each in led
                if (not type or each["resourceType"] == type)
                and (parameter.targets == (ANY,) or each["resourceType"] in parameter.targets)
            ]
        return found

    def _identified(self, identifier: Resource) -> list[Resource]:
        """Give what has an identifier: its system and its value."""
        pair = (identifier["system"], identifier.get("value"))
        found = []
        for resource in self.alive:
            parameter = parameters(resource["resourceType"]).get("identifier")
            if parameter is None or pair[1] is None:
                continue
            own = self.nodes.of(parameter, resource)
            if any((n.get("system"), n.get("value")) == pair for n in own if isinstance(n, dict)):
                found.append(resource)
        return found

    def _listed(self, resource: Resource, text: str) -> bool:
        listed = self.by_name.get(f"List/{text}")
        own = f"{resource['resourceType']}/{resource['id']}"
        return listed is not None and any(
            (literal_of(entry.get("item", {})) or "") == own for entry in listed.get("entry", ())
        )

    def _has(self, resource: Resource, name: str, text: str) -> bool:
        _, type, code, rest = name.split(":", 3)
        parameter = parameters(type)[code]
        return any(
            other["resourceType"] == type
            and any(target is resource for target in self.targets(other, parameter, ""))
            and self.holds(other, rest, text)
            for other in self.alive
        )

    def _plain(self, resource: Resource, parameter: Parameter, modifier: str, text: str) -> bool:
        if parameter.code == "_id":
            return resource["id"] in text.split(",")
        alternatives = apart(text, ",")
        if parameter.code == "_lastUpdated":
            return any(self._updated(resource, part) for part in alternatives)
        if modifier == "missing":
            return self._says(resource, parameter) != (text == "true")
        if parameter.code == "phonetic":
            return self._sounds(resource, parameter, text)
        if modifier in ("not", "not-in"):
            plain = "in" if modifier == "not-in" else ""
            return not self._plain(resource, parameter, plain, text)
        if parameter.kind == "composite":
            return any(self._composite(resource, parameter, part) for part in alternatives)
        found = self.nodes.of(parameter, resource)
        return any(
            self.said(node, parameter, modifier, part) for node in found for part in alternatives
        )

    def _sounds(self, resource: Resource, parameter: Parameter, text: str) -> bool:
        """Tell whether the words of an alternative sound like some of a name; how is a table."""
        heard: set[str] = set()
        for node in self.nodes.of(parameter, resource):
            for name in strings(node):
                words = folded(name[:64]).split()
                heard |= {phonetic(word) for word in (*words, *_together(words))}
        asked = [folded(part).split() for part in text.split(",")]
        return any(
            {phonetic(word) for word in words} <= heard
            or any(phonetic(word) in heard for word in _together(words))
            for words in asked
        )

    def _updated(self, resource: Resource, text: str) -> bool:
        prefix, date = prefixed(text)
        at = moment("1970-01-01T00:00:00Z").low
        at = at.fromtimestamp(self.at[id(resource)], tz=at.tzinfo)
        asked = moment(date)
        held = asked.low <= at < asked.high
        told: dict[str, bool] = {
            **{"eq": held, "ne": not held, "gt": at >= asked.high, "sa": at >= asked.high},
            **{"lt": at < asked.low, "eb": at < asked.low, "ge": at >= asked.low},
            "le": at < asked.high,
            "ap": asked.low - (asked.high - asked.low)
            <= at
            < asked.high + (asked.high - asked.low),
        }
        return told[prefix]

    def _says(self, resource: Resource, parameter: Parameter) -> bool:
        """Tell whether a resource has a value of a parameter: one that it could be found by."""
        kind: str = parameter.kind
        if kind == "composite":
            return any(
                all(
                    any(self._part(n, c.kind) for n in part)
                    for part, c in zip(e, parameter.components, strict=True)
                )
                for e in self.nodes.components(parameter, resource)
            )
        return any(self._value(node, kind) for node in self.nodes.of(parameter, resource))

    def _part(self, node: Any, kind: str) -> bool:
        """Tell whether a node is a value of a component, which takes no words and no identifier."""
        if kind == "token":
            return bool(list(codes(node, None)))
        return literal_of(node) is not None if kind == "reference" else self._value(node, kind)

    def _value(self, node: Any, kind: str) -> bool:
        if kind == "token":
            return bool([*codes(node, None), *texts_beside(node)])
        if kind == "string":
            return any(folded(text) for text in strings(node))
        if kind == "reference":
            return literal_of(node) is not None or bool(
                list(codes(node.get("identifier", {}), None))
            )
        if kind == "date":
            return span(node) is not None
        if kind == "quantity":
            ranged = "low" in node or "high" in node or "origin" in node
            return amount(node) is not None if ranged else "value" in node
        if kind == "number":
            return amount(node) is not None
        return True

    def said(self, node: Any, parameter: Parameter, modifier: str, text: str) -> bool:
        """Tell whether a node says what one alternative of a criterion asks."""
        kind: str = parameter.kind
        if kind == "token" or modifier == "identifier":
            return self._token(node, parameter.system, modifier, text)
        if kind == "reference":
            return is_reference(bare(text), node, modifier)
        if kind == "string":
            return any(_is_string(text, each, modifier) for each in strings(node))
        if kind == "uri":
            return is_uri(bare(text), node, modifier)
        if kind == "special":
            return is_near(text, node)
        return _in_order(kind, node, text)

    def _token(self, node: Any, implied: str | None, modifier: str, text: str) -> bool:
        if modifier == "identifier":
            node = node.get("identifier") if isinstance(node, dict) else None
        if modifier == "text":
            return any(folded(each).startswith(folded(bare(text))) for each in texts_beside(node))
        if modifier == "of-type":
            return is_of_type(text, node)
        found = list(codes(node, implied))
        if modifier in _TERMINOLOGICAL:
            wanted = self.terms.get(f"{modifier}:{bare(text)}", [])
            return any((each.system or "", each.code) in wanted for each in found)
        return any(is_code(text, each, implied) for each in found)

    def _composite(self, resource: Resource, parameter: Parameter, text: str) -> bool:
        asked = apart(text, "$")
        return any(
            all(
                any(self._component(n, c.kind, part) for n in nodes)
                for nodes, c, part in zip(element, parameter.components, asked, strict=True)
            )
            for element in self.nodes.components(parameter, resource)
        )

    def _component(self, node: Any, kind: str, text: str) -> bool:
        if kind == "token":
            return any(is_code(text, each, None) for each in codes(node, None))
        if kind == "reference":
            return is_reference(bare(text), node, "")
        if kind == "string":
            return any(_is_string(text, each, "") for each in strings(node))
        return _in_order(kind, node, text)

    def sorted_by(self, resource: Resource, parameter: Parameter, descending: bool) -> Any:
        """Give what a resource is sorted by; None when it has no value."""
        code = parameter.code
        if code == "_id":
            return resource["id"]
        if code == "_lastUpdated":
            return self.at[id(resource)]
        found = [key for n in self.nodes.of(parameter, resource) for key in _keys(n, parameter)]
        return (max if descending else min)(found, default=None)


def _together(words: list[str]) -> list[str]:
    return ["".join(words)] if 1 < len(words) < 4 else []


def _is_string(text: str, own: str, modifier: str) -> bool:
    text = bare(text)
    if modifier == "exact":
        return own == text
    if modifier == "contains":
        return folded(text) in folded(own)
    return folded(own).startswith(folded(text))


def _in_order(kind: str, node: Any, text: str) -> bool:
    """Compare a date, a number or a quantity."""
    if kind == "quantity":
        return isinstance(node, dict) and quantity_compares(text, node)
    prefix, value = prefixed(text)
    if kind == "number":
        own = amount(node)
        return own is not None and number_compares(prefix, own, value)
    known = span(node)
    return known is not None and compares(prefix, known, moment(value))


def _keys(node: Any, parameter: Parameter) -> list[Any]:
    kind: str = parameter.kind
    if kind == "string":
        return [folded(text) for text in strings(node)]
    if kind == "token":
        return [each.code for each in codes(node, None)]
    if kind == "reference":
        literal = literal_of(node)
        if literal is None:
            return []
        return ["/" + each if ":" in each else each for each in (literal, literal.split("|")[0])]
    if kind == "uri":
        return [node, node.split("|")[0]]
    if kind == "date":
        found: Between | None = span(node)
        least = moment("0001-01-02").low
        return [] if found is None else [found.low or least]
    if kind == "quantity" and not {"low", "high", "origin"} & set(node):
        return [float(node["value"])] if "value" in node else []
    number = amount(node)
    if number is None:
        return []
    return [float(number.low) if number.low is not None else float("-inf")]
