"""Criteria that are no chain: a parameter, a modifier, values, and what they are counted as.

https://hl7.org/fhir/R4/search.html#modifiers , https://hl7.org/fhir/R4/search.html#prefix
"""

from typing import Any

from passerelle.fhir.search.search_parameters import Parameter, parameters
from tests.oracle.criteria import Criterion, named
from tests.oracle.escapes import apart
from tests.oracle.spelling import PREFIXES, Spelling

VALUE_SET = "http://e.fr/ValueSet/v"
TERMS = {
    f"in:{VALUE_SET}": [("urn:a", "a"), ("urn:b", "b"), ("", "c")],
    "below:urn:a|a": [("urn:a", "a"), ("urn:a", "b")],
    "above:urn:a|b": [("urn:a", "a"), ("urn:a", "b")],
}
"""What the terminology of the tests knows, by modifier and value."""

OF_EVERY_TYPE = ("_id", "_lastUpdated", "_profile", "_tag", "_security", "_source")
_ORDERED = ("date", "number", "quantity")
_RARE = ("number", "quantity", "special", "composite")


class PlainSearches(Spelling):
    """Draws criteria from what the resources of a world say."""

    def node(self, type: str, parameter: Parameter) -> Any:
        """Give a node that a parameter leads to in some resource; None when there is none."""
        alike = [r for r in self.world.alive if r["resourceType"] == type]
        found = [n for r in alike for n in self.world.nodes.of(parameter, r)]
        return self.random.choice(found) if found else None

    def parameter(self, type: str) -> Parameter:
        """Choose a parameter, mostly one that leads somewhere, rare kinds as often as others."""
        known = [each for each in parameters(type).values() if each.expression]
        draw = self.random.random()
        kinds = sorted({str(each.kind) for each in known})
        if draw < 0.25:
            kinds = [kind for kind in kinds if kind in _RARE] or kinds
        if draw < 0.6:
            kind = self.random.choice(kinds)
            known = [each for each in known if each.kind == kind]
            form = self.random.choice(sorted({_form_of(each) for each in known}))
            known = [each for each in known if _form_of(each) == form]
        for _ in range(6):
            found = self.random.choice(known)
            if found.code in ("_id", "_lastUpdated") or self._speaks(type, found):
                break
        return found

    def _speaks(self, type: str, parameter: Parameter) -> bool:
        """Tell whether some resource says something to a parameter, to all parts of a composite."""
        if parameter.kind != "composite":
            return self.node(type, parameter) is not None
        return any(all(element) for element in self._elements(type, parameter))

    def _elements(self, type: str, parameter: Parameter) -> list[list[list[Any]]]:
        alike = [r for r in self.world.alive if r["resourceType"] == type]
        return [e for r in alike for e in self.world.nodes.components(parameter, r)]

    def plain(self, type: str) -> Criterion:
        """Draw a criterion that is no chain."""
        while True:
            parameter = self.parameter(type)
            modifier = self.random.choice(self.modifiers(parameter))
            made = self.values(type, parameter, modifier)
            if made is not None:
                name = parameter.code + (f":{modifier}" if modifier else "")
                return named(name, made, *_labels(parameter, modifier, made))

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """Give the modifiers of a parameter, those that are asked most named twice."""
        if parameter.code in ("_id", "_lastUpdated"):
            return ("",)
        if parameter.code == "phonetic":
            return ("", "", "missing")
        kind: str = parameter.kind
        if kind == "token":
            found = ("", "", "", "not", "missing", "text", "in", "not-in", "below", "above")
            return (*found, *("of-type",) * 3) if parameter.code == "identifier" else found
        if kind == "reference":
            targets = tuple(t for t in parameter.targets if t in self.types)
            return ("", "", "missing", "identifier", *targets[:1])
        return {
            "string": ("", "", "exact", "contains", "missing"),
            "uri": ("", "", "above", "below", "missing"),
        }.get(kind, ("", "", "", "", "missing"))

    def values(self, type: str, parameter: Parameter, modifier: str) -> str | None:
        """Draw one value, or some joined by commas."""
        random = self.random
        if modifier == "missing":
            return random.choice(("true", "false"))
        one = self.value(type, parameter, modifier)
        if one is None or random.random() < 0.8:
            return one
        other = self.value(type, parameter, modifier)
        return one if other is None else f"{one},{other}"

    def value(self, type: str, parameter: Parameter, modifier: str) -> str | None:
        """Draw one value from a node, or from what is at hand."""
        random = self.random
        if parameter.code == "_id":
            return str(random.choice(self.world.alive)["id"])
        if parameter.code == "_lastUpdated":
            prefix = random.choice(PREFIXES)
            return f"{prefix}1970-01-01T00:00:{random.randrange(30):02d}Z"
        if modifier in ("in", "not-in"):
            return VALUE_SET
        if modifier in ("below", "above") and parameter.kind == "token":
            return "urn:a|a" if modifier == "below" else "urn:a|b"
        kind: str = parameter.kind
        if kind == "composite":
            return self.composite(type, parameter)
        node = self.node(type, parameter) if random.random() < 0.85 else None
        for _ in range(6 if modifier == "identifier" else 0):
            if not isinstance(node, dict) or "identifier" not in node:
                node = self.node(type, parameter)
        return self.spelled(kind, node, modifier, parameter.system)

    def composite(self, type: str, parameter: Parameter) -> str | None:
        """Draw the parts of a composite from one element, mostly."""
        found = self._elements(type, parameter)
        if not found:
            return None
        if self.random.random() < 0.9:
            found = [element for element in found if all(element)] or found
        same = self.random.choice(found) if self.random.random() < 0.85 else None
        parts = []
        for number, component in enumerate(parameter.components):
            element = same or self.random.choice(found)
            nodes = element[number]
            node = self.random.choice(nodes) if nodes else None
            spelled = self.spelled(component.kind, node, "", None)
            if component.kind == "reference" and spelled and not set("/:") & set(spelled):
                return None
            if spelled is None:
                return None
            parts.append(spelled)
        return "$".join(parts)


def _form_of(parameter: Parameter) -> str:
    """Give the kinds of the parts of a composite."""
    return "$".join(component.kind for component in parameter.components)


def _labels(parameter: Parameter, modifier: str, text: str) -> tuple[str, ...]:
    """Give what a criterion is counted as."""
    kind = str(parameter.kind)
    found = []
    values = apart(text, ",")
    name = "Type" if modifier[:1].isupper() else modifier
    if kind in _ORDERED and not modifier:
        prefix = text[:2] if text[:2].isalpha() else "eq"
        name = prefix if len(values) == 1 else ""
    found.append(f"{kind}:{name}".rstrip(":"))
    if parameter.code in OF_EVERY_TYPE:
        found.append(parameter.code)
    if len(values) > 1:
        found.append("several values")
    if "\\" in text:
        found.append("marks escaped")
    if kind == "composite" and not modifier:
        found.append(f"composite of {_form_of(parameter)}")
    if not modifier and len(values) == 1:
        found += _form(kind, text)
    return tuple(found)


def _form(kind: str, text: str) -> list[str]:
    """Tell in what form a single value is spelled."""
    parts = apart(text, "|")
    if kind == "token":
        if len(parts) == 1:
            return ["token as code"]
        return ["token as " + ("system" if parts[0] else "") + "|" + ("code" if parts[1] else "")]
    if kind == "quantity":
        unit = "" if len(parts) == 1 else "|system|code" if parts[1] else "||code"
        return [f"quantity as number{unit}"]
    if kind == "reference":
        form = "address" if ":" in text else "Type/id" if "/" in text else "id"
        return [f"reference as {form}"]
    if kind == "special":
        return [f"near in {parts[3] if len(parts) == 4 else 'no unit'}"]
    return []
