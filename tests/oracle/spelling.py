"""How the values of searches are spelled: as a node says it, or another that is at hand."""

from random import Random
from typing import Any

from tests.oracle.escapes import escaped
from tests.oracle.intervals import UCUM, span
from tests.oracle.naive import World
from tests.oracle.said import codes, folded, literal_of, strings, texts_beside
from tests.oracle.stock import CODES, DATES, INSTANTS, NUMBERS, UNITS, URIS, WORDS

PREFIXES = ("", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


class Spelling:
    """Spells the values of one world."""

    def __init__(self, random: Random, world: World) -> None:
        self.random = random
        self.world = world
        self.types = sorted({r["resourceType"] for r in world.alive})

    def spelled(self, kind: str, node: Any, modifier: str, implied: str | None) -> str | None:
        """Spell a node, or another value of its kind, as a search would."""
        if kind == "token" or modifier == "identifier":
            return self._token(node, modifier, implied)
        if kind == "string":
            own = list(strings(node)) if node is not None else []
            return self._string(self.random.choice(own or WORDS), modifier)
        if kind == "reference":
            return self._reference(node, modifier)
        if kind == "date":
            return self._date(node)
        if kind == "special":
            place = self.random.choice(("45.75|4.85", "48.8|2.3", "-17.5|180"))
            reach = self.random.choice(("3|km", "30|km", "500|km", "20000", "3000|m", "9|[mi_i]"))
            return self.random.choice((place, f"{place}|{reach}", f"{place}|{reach}"))
        if kind == "uri":
            text = node if isinstance(node, str) else self.random.choice(URIS)
            text = text.split("|")[0] if self.random.random() < 0.3 else text
            return str(text)
        return self._number(node, with_unit=kind == "quantity")

    def _token(self, node: Any, modifier: str, implied: str | None) -> str | None:
        random = self.random
        if modifier == "text":
            own = list(texts_beside(node)) if random.random() < 0.7 else []
            return folded(random.choice(own or WORDS))[: random.randint(2, 8)].strip()
        if modifier == "of-type":
            if not isinstance(node, dict) or "value" not in node:
                return None
            codings = node.get("type", {}).get("coding", [])
            full = [c for c in codings if "system" in c]
            if not full:
                return None
            return "|".join(escaped(t) for t in (*_pair(full[0]), node["value"]))
        if modifier == "identifier" and isinstance(node, dict):
            node = node.get("identifier", {})
        found = list(codes(node, implied)) if node is not None else []
        if not found:
            return escaped(random.choice(CODES))
        system, code = random.choice(found)
        shape = random.randrange(4)
        code = escaped(code)
        if shape == 0 and system:
            return f"{escaped(system)}|"
        if shape == 1 or (shape == 2 and system is None):
            return f"{escaped(system or '')}|{code}"
        return code

    def _string(self, text: str, modifier: str) -> str:
        random = self.random
        if modifier == "exact":
            return escaped(text if random.random() < 0.8 else text.upper())
        start = random.randrange(3) if modifier == "contains" else 0
        cut = text[start : start + random.randint(2, len(text))]
        cut = cut if folded(cut) else text
        return escaped(random.choice((cut, cut.upper(), folded(cut))))

    def _reference(self, node: Any, modifier: str) -> str | None:
        literal = literal_of(node) if node is not None else None
        literal = literal or self.random.choice(sorted(self.world.by_name))
        if ":" in literal:
            return None if modifier else literal
        if modifier:
            return literal.split("/")[1]
        return literal if self.random.random() < 0.7 else literal.split("/")[1]

    def _date(self, node: Any) -> str:
        random = self.random
        text = random.choice((*DATES, *INSTANTS))
        if isinstance(node, str) and span(node):
            text = random.choice((node, node[:10], node[:7], node[:4]))
        elif isinstance(node, dict) and "start" in node:
            text = node["start"]
        return random.choice(PREFIXES) + text

    def _number(self, node: Any, *, with_unit: bool) -> str:
        random = self.random
        value: Any = random.choice(NUMBERS)
        unit: dict[str, Any] = {}
        if isinstance(node, dict):
            unit = node.get("low") or node.get("high") or node
            value = unit.get("value", value)
        elif node is not None:
            value = node
        text = str(value)
        if random.random() < 0.2:
            text = f"{text}.0" if "." not in text else f"{text}0"
        text = random.choice(PREFIXES) + text
        if not with_unit or random.random() < 0.35:
            return text
        if "currency" in unit:
            return f"{text}|urn:iso:std:iso:4217|{unit['currency']}"
        code = unit.get("code") or unit.get("unit") or random.choice(UNITS)
        if random.random() < 0.3:
            return f"{text}||{code}"
        return f"{text}|{UCUM}|{code}"


def _pair(coding: dict[str, Any]) -> tuple[str, str]:
    return coding["system"], coding["code"]
