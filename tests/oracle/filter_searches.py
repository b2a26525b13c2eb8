"""`_filter`, drawn from all operators, joined, denied, and along paths.

https://hl7.org/fhir/R4/search_filter.html
"""

import json

from passerelle.fhir.search.search_parameters import Parameter
from tests.oracle.criteria import Criterion, Holds, both, denied, either
from tests.oracle.escapes import bare
from tests.oracle.filtered import OPERATORS, PREFIXED, compared
from tests.oracle.link_searches import LinkSearches
from tests.oracle.plain_searches import VALUE_SET

_BELOW_ABOVE = {"ss": "urn:a|a", "sb": "urn:a|b"}
_SEPARATING = frozenset(' ()[]"')


class FilterSearches(LinkSearches):
    """Draws filters."""

    def filter(self, type: str) -> Criterion | None:
        """Draw a `_filter` of a few comparisons, joined."""
        terms = [term for _ in range(6) if (term := self.term(type))]
        if not terms:
            return None
        made = terms[0]
        for other in terms[1 : self.random.choice((1, 1, 2, 3))]:
            made = self._joined(made, other)
        if self.random.random() < 0.25:
            made = Criterion("", f"not ({made.text})", ("not", *made.labels), denied(made))
        labels = tuple(f"_filter {label}" for label in made.labels)
        return made._replace(name="_filter", labels=labels)

    def _joined(self, one: Criterion, other: Criterion) -> Criterion:
        if self.random.random() < 0.5:
            text, label, holds = f"({one.text}) and ({other.text})", "and", both(one, other)
        else:
            text, label, holds = f"({one.text}) or ({other.text})", "or", either(one, other)
        return Criterion("", text, (label,), holds)

    def term(self, type: str, depth: int = 0) -> Criterion | None:
        """Draw one comparison, of the type itself or of what it refers to."""
        if depth < 2 and self.random.random() < 0.2:
            made = self._path(type, depth)
            if made is not None:
                return made
        parameter = self.parameter(type)
        operators = OPERATORS.get(str(parameter.kind))
        if parameter.code in ("_id", "_lastUpdated", "phonetic") or operators is None:
            return None
        operator = self.random.choice(operators)
        text = self._value(type, parameter, operator)
        if text is None:
            return None
        holds: Holds = lambda w, r: compared(w, r, parameter, operator, text)  # noqa: E731
        quoted = _SEPARATING & set(text) or parameter.kind == "string"
        spelled = json.dumps(text, ensure_ascii=False) if quoted else text
        label = f"{parameter.kind} {operator}"
        return Criterion("", f"{parameter.code} {operator} {spelled}", (label,), holds)

    def _value(self, type: str, parameter: Parameter, operator: str) -> str | None:
        """Draw what a value is compared with."""
        kind = str(parameter.kind)
        if operator == "pr":
            return self.random.choice(("true", "false"))
        if operator in ("in", "ni"):
            return VALUE_SET
        if kind == "token" and operator in _BELOW_ABOVE:
            return _BELOW_ABOVE[operator]
        text = self.value(type, parameter, "contains" if operator == "co" else "")
        if text is None:
            return None
        if operator in (*PREFIXED, "co", "po") and kind in ("date", "number", "quantity"):
            return text[2:] if text[:2].isalpha() else text
        if kind == "token" and operator in ("co", "sw", "ew"):
            return None if "|" in text else text[:1]
        if operator == "ew":
            text = text[-3:] if len(bare(text)) == len(text) else text
        # Only what stands between quotes takes marks as they are.
        return bare(text) if kind == "string" else None if set(text) & _SEPARATING else text

    def _path(self, type: str, depth: int) -> Criterion | None:
        """Draw ``reference.term`` or ``reference[term].term``."""
        made = self.link(type)
        if made is None:
            return None
        parameter, target = made
        last = self.term(target, depth + 1)
        if last is None or last.labels[0] in ("and", "or"):
            return None
        link = parameter.code
        if parameter.targets != (target,):
            link = f"{link}:{target}"
        inner = self.term(target, 2) if self.random.random() < 0.4 else None
        spelled = f"{link}[{inner.text}].{last.text}" if inner else f"{link}.{last.text}"
        wanted = last if inner is None else Criterion("", "", (), both(inner, last))
        holds: Holds = lambda w, r: any(  # noqa: E731
            wanted.holds(w, found) for found in w.targets(r, parameter, target)
        )
        return Criterion("", spelled, ("path[…]" if inner else "path",), holds)
