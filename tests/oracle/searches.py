"""Searches drawn from what the resources of a world say, so that most of them find something."""

from collections.abc import Callable
from typing import Any, NamedTuple

from passerelle.fhir.search.search_parameters import Parameter, parameters
from tests.oracle.naive import Resource, World
from tests.oracle.spelling import PREFIXES, Spelling

DEPTH_MAX = 4
"""Links of a chain, one after another."""

CHAINS = 0.25
"""How often a chain goes on."""

VALUE_SET = "http://e.fr/ValueSet/v"
TERMS = {
    f"in:{VALUE_SET}": [("urn:a", "a"), ("urn:b", "b"), ("", "c")],
    "below:urn:a|a": [("urn:a", "a"), ("urn:a", "b")],
    "above:urn:a|b": [("urn:a", "a"), ("urn:a", "b")],
}
"""What the terminology of the tests knows, by modifier and value."""

Holds = Callable[[World, Resource], bool]


class Criterion(NamedTuple):
    """``name=text``, what it is counted as, and whether it holds of a resource."""

    name: str
    text: str
    label: str
    holds: Holds


class Asked(NamedTuple):
    """A whole search."""

    type: str
    criteria: tuple[Criterion, ...]
    sort: tuple[tuple[str, bool], ...] = ()


class Searches(Spelling):
    """Draws the searches of one world."""

    def node(self, type: str, parameter: Parameter) -> Any:
        """Give a node that a parameter leads to in some resource; None when there is none."""
        alike = [r for r in self.world.alive if r["resourceType"] == type]
        found = [n for r in alike for n in self.world.nodes.of(parameter, r)]
        return self.random.choice(found) if found else None

    def parameter(self, type: str) -> Parameter:
        """Choose a parameter, mostly one that leads somewhere."""
        known = [each for each in parameters(type).values() if each.expression]
        for _ in range(6):
            found = self.random.choice(known)
            if found.code in ("_id", "_lastUpdated") or self.node(type, found) is not None:
                break
        return found

    def asked(self) -> Asked:
        """Draw a search: one criterion, or several, ordered or not."""
        random = self.random
        type = random.choice(self.types)
        count = random.choice((1, 1, 1, 1, 2, 2, 3))
        criteria = tuple(self.criterion(type) for _ in range(count))
        sort: list[tuple[str, bool]] = []
        if random.random() < 0.3:
            for _ in range(random.randint(1, 2)):
                key = self.parameter(type)
                kind: str = key.kind
                if kind not in ("composite", "special") and key.code not in dict(sort):
                    sort.append((key.code, random.random() < 0.5))
        return Asked(type, criteria, tuple(sort))

    def criterion(self, type: str) -> Criterion:
        """Draw a criterion of any form."""
        draw = self.random.random()
        made: Criterion | None = None
        if draw < 0.16:
            made = self.chained(type)
        elif draw < 0.26:
            made = self.reverse(type)
        elif draw < 0.29:
            text = self.random.choice(("list9", "list9", "list0"))
            made = _named("_list", text, "_list")
        elif draw < 0.44:
            made = self.filter(type)
        return made or self.plain(type)

    def plain(self, type: str) -> Criterion:
        """Draw a criterion that is no chain."""
        random = self.random
        while True:
            parameter = self.parameter(type)
            modifier = random.choice(self.modifiers(parameter))
            made = self.values(type, parameter, modifier)
            if made is not None:
                name = parameter.code + (f":{modifier}" if modifier else "")
                label = "Type" if modifier[:1].isupper() else modifier
                prefix = ""
                if parameter.kind in ("date", "number", "quantity") and not modifier:
                    prefix = made[:2] if made[:2].isalpha() else "eq"
                return _named(name, made, f"{parameter.kind}:{label or prefix}".rstrip(":"))

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """Give the modifiers of a parameter, those that are asked most named twice."""
        if parameter.code in ("_id", "_lastUpdated"):
            return ("",)
        kind: str = parameter.kind
        if kind == "token":
            found = ("", "", "", "not", "missing", "text", "in", "not-in", "below", "above")
            return (*found, "of-type") if parameter.code == "identifier" else found
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
        return self.spelled(kind, node, modifier, parameter.system)

    def composite(self, type: str, parameter: Parameter) -> str | None:
        """Draw the parts of a composite from one element, mostly."""
        alike = [r for r in self.world.alive if r["resourceType"] == type]
        found = [e for r in alike for e in self.world.nodes.components(parameter, r)]
        if not found:
            return None
        parts = []
        for number, component in enumerate(parameter.components):
            element = self.random.choice(found)
            nodes = element[number]
            node = self.random.choice(nodes) if nodes else None
            spelled = self.spelled(component.kind, node, "", None)
            if component.kind == "reference" and spelled and not set("/:") & set(spelled):
                return None
            if spelled is None:
                return None
            parts.append(spelled)
        return "$".join(parts)

    def chained(self, type: str, depth: int = 0) -> Criterion | None:
        """Draw a chain to a type of this world that some resource leads to."""
        made = self._link(type)
        if made is None or depth > DEPTH_MAX:
            return None
        parameter, target = made
        inner = self.inner(target, depth + 1)
        only = parameter.targets == (target,)
        link = parameter.code if only else f"{parameter.code}:{target}"
        return _named(f"{link}.{inner.name}", inner.text, f"chain>{_short(inner.label)}")

    def inner(self, type: str, depth: int) -> Criterion:
        """Draw what stands at the end of a link: a criterion, or another link."""
        if self.random.random() < CHAINS:
            return self.chained(type, depth) or self.plain(type)
        if self.random.random() < 0.15:
            return self.reverse(type, depth) or self.plain(type)
        return self.plain(type)

    def _link(self, type: str) -> tuple[Parameter, str] | None:
        alike = [r for r in self.world.alive if r["resourceType"] == type]
        found = [
            (parameter, target["resourceType"])
            for parameter in parameters(type).values()
            if parameter.kind == "reference"
            for resource in alike
            for target in self.world.targets(resource, parameter, "")
        ]
        return self.random.choice(found) if found else None

    def reverse(self, type: str, depth: int = 0) -> Criterion | None:
        """Draw a `_has` of a type that leads here."""
        if depth > DEPTH_MAX:
            return None
        sources = self.random.sample(self.types, len(self.types))
        for source in sources:
            made = self._link(source)
            if made is not None and made[1] == type:
                inner = self.inner(source, depth + 1)
                name = f"_has:{source}:{made[0].code}:{inner.name}"
                return _named(name, inner.text, f"_has>{_short(inner.label)}")
        return None

    def filter(self, type: str) -> Criterion | None:
        """Draw a `_filter` of a few comparisons, joined."""
        terms = [term for _ in range(6) if (term := self.term(type))]
        if not terms:
            return None
        made = terms[0]
        for other in terms[1 : self.random.choice((1, 2, 2, 3))]:
            made = self._joined(made, other)
        if self.random.random() < 0.25:
            made = Criterion("", f"not ({made.text})", "not", _denied(made))
        return made._replace(name="_filter", label=f"_filter {made.label}")

    def _joined(self, one: Criterion, other: Criterion) -> Criterion:
        if self.random.random() < 0.5:
            both: Holds = lambda w, r: one.holds(w, r) and other.holds(w, r)  # noqa: E731
            return Criterion("", f"({one.text}) and ({other.text})", "and", both)
        either: Holds = lambda w, r: one.holds(w, r) or other.holds(w, r)  # noqa: E731
        return Criterion("", f"({one.text}) or ({other.text})", "or", either)

    def term(self, type: str) -> Criterion | None:
        """Draw one comparison that an address could ask as well."""
        random = self.random
        parameter = self.parameter(type)
        code, kind = parameter.code, str(parameter.kind)
        if code in ("_id", "_lastUpdated") or kind in ("composite", "special"):
            return None
        if random.random() < 0.15:
            text = random.choice(("true", "false"))
            asked = "false" if text == "true" else "true"
            return _as_term(f"{code} pr {text}", _named(f"{code}:missing", asked, "pr"))
        value = self.value(type, parameter, "")
        if value is None:
            return None
        if kind != "string" and any(c in value for c in ' ()[]"'):
            return None
        if kind in ("date", "number", "quantity"):
            operator, literal = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
            return _as_term(f"{code} {operator} {literal}", _named(code, value, operator))
        if kind == "string":
            operator = random.choice(("co", "sw"))
            name = f"{code}:contains" if operator == "co" else code
            return _as_term(f'{code} {operator} "{value}"', _named(name, value, operator))
        return _as_term(f"{code} eq {value}", _named(code, value, "eq"))


def _named(name: str, text: str, label: str) -> Criterion:
    return Criterion(name, text, label, lambda world, resource: world.holds(resource, name, text))


def _as_term(text: str, criterion: Criterion) -> Criterion:
    return criterion._replace(text=text)


def _denied(one: Criterion) -> Holds:
    return lambda world, resource: not one.holds(world, resource)


def _short(label: str) -> str:
    """Give the label of what stands behind a link, without the rest of its way."""
    return label if ">" not in label else label.split(">")[0]
