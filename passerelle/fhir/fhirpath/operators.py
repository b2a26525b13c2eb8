"""The operators of FHIRPath, over collections.

http://hl7.org/fhirpath/N1/#operations . An empty operand mostly gives an empty answer; a
collection of several where one value is wanted is an error of the evaluation.
"""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from passerelle.fhir.fhirpath import quantities, temporals
from passerelle.fhir.fhirpath.nodes import Items, Node, children, value_of
from passerelle.fhir.fhirpath.quantities import Quantity
from passerelle.fhir.fhirpath.temporals import Temporal

Operator = Callable[[Items, Items], Items]


class CannotEvaluate(Exception):
    """The expression means nothing for this input: types that do not go together, too many."""


def single(items: Items) -> Any:
    """Give the one value of a collection, None when empty. Raises CannotEvaluate."""
    if not items:
        return None
    if len(items) > 1:
        raise CannotEvaluate("one value is wanted")
    return value_of(items[0])


def truth(items: Items) -> bool | None:
    """Give a collection as a boolean: empty is None, one value that is no boolean is true."""
    value = single(items)
    if value is None or value is False:
        return None if value is None else False
    return True


def said(value: bool | None) -> Items:
    """Give the answer of a predicate as a collection."""
    return [] if value is None else [value]


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and type(value) is not bool


def same(left: Any, right: Any) -> bool | None:
    """Tell whether two items are equal; None when their precision does not decide."""
    one, other = value_of(left), value_of(right)
    if isinstance(one, Temporal) or isinstance(other, Temporal):
        return _same_time(one, other)
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        ordered = quantities.order(one, other)
        return None if ordered is None else ordered == 0
    if type(one) is Node and type(other) is Node:
        if not isinstance(one.value, dict):
            return bool(one.value == other.value and one.sibling == other.sibling)
        return _same_nodes(one, other)
    if _is_number(one) and _is_number(other):
        return bool(one == other)
    return type(one) is type(other) and bool(one == other)


def _same_time(one: Any, other: Any) -> bool | None:
    if isinstance(one, str) and isinstance(other, Temporal):
        one = temporals.temporal(other.kind, one)
    if isinstance(other, str) and isinstance(one, Temporal):
        other = temporals.temporal(one.kind, other)
    if not isinstance(one, Temporal) or not isinstance(other, Temporal):
        return False
    if (one.kind == "time") != (other.kind == "time"):
        return False
    ordered = temporals.order(one, other)
    return None if ordered is None else ordered == 0


def _same_nodes(one: Node, other: Node) -> bool:
    """Compare two elements by all that is in them."""
    if one.value == other.value:
        return True
    mine, others = children(one), children(other)
    return len(mine) == len(others) and all(map(same, mine, others))


def key(item: Any) -> Any:
    """Give what two equal items have in common, so that they can stand in a set."""
    value = value_of(item)
    if isinstance(value, Temporal):
        return (value.kind == "time", value.parts, value.zoned and len(value.parts) > 3)
    if isinstance(value, Quantity):
        return quantities.scaled(value)
    if type(value) is Node:
        if isinstance(value.value, dict):
            return ("node", tuple(map(key, children(value))))
        return ("node", str(value.sibling))
    return (type(value) is bool, value)


class Kept(list[Any]):
    """A collection that is the same for the whole evaluation, with the keys of its items."""

    __slots__ = ("keys",)

    def __init__(self, items: Items) -> None:
        super().__init__(items)
        self.keys: frozenset[Any] | None = None


def keys_of(items: Items) -> frozenset[Any]:
    """Give the keys of a collection; of one that is kept, made once."""
    if not isinstance(items, Kept):
        return frozenset(map(key, items))
    if items.keys is None:
        items.keys = frozenset(map(key, items))
    return items.keys


def equal(left: Items, right: Items) -> Items:
    """``=``: item by item, in order."""
    if not left or not right:
        return []
    if len(left) != len(right):
        return [False]
    answers = [same(one, other) for one, other in zip(left, right, strict=True)]
    if False in answers:
        return [False]
    return [] if None in answers else [True]


def unequal(left: Items, right: Items) -> Items:
    """``!=``."""
    return [not answer for answer in equal(left, right)]


def _alike(left: Any, right: Any) -> bool:
    """Tell whether two items are equivalent: case, white space and last digits aside."""
    one, other = value_of(left), value_of(right)
    if isinstance(one, str) and isinstance(other, str):
        return " ".join(one.casefold().split()) == " ".join(other.casefold().split())
    if _is_number(one) and _is_number(other):
        digits = min(_digits(one), _digits(other))
        step = Decimal(1).scaleb(-digits)
        return Decimal(one).quantize(step) == Decimal(other).quantize(step)
    if type(one) is Node and type(other) is Node and isinstance(one.value, dict):
        return equivalent(children(one), children(other))[0] is True
    return same(left, right) is True


def _digits(value: Any) -> int:
    exponent = Decimal(value).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def equivalent(left: Items, right: Items) -> Items:
    """``~``: in any order, and of what is nearly the same; empty is like empty."""
    if len(left) != len(right):
        return [False]
    waiting = list(right)
    for one in left:
        found = next((i for i, other in enumerate(waiting) if _alike(one, other)), None)
        if found is None:
            return [False]
        del waiting[found]
    return [True]


def not_equivalent(left: Items, right: Items) -> Items:
    """``!~``."""
    return [not answer for answer in equivalent(left, right)]


def order(left: Items, right: Items) -> int | None:
    """Tell -1, 0 or 1; None when one is empty or nothing decides. Raises CannotEvaluate."""
    one, other = single(left), single(right)
    if one is None or other is None:
        return None
    if isinstance(one, str) and isinstance(other, Temporal):
        one = temporals.temporal(other.kind, one)
    elif isinstance(other, str) and isinstance(one, Temporal):
        other = temporals.temporal(one.kind, other)
    if _is_number(one) and _is_number(other):
        return int((one > other) - (one < other))
    if isinstance(one, str) and isinstance(other, str):
        return (one > other) - (one < other)
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        if (one.kind == "time") == (other.kind == "time"):
            return temporals.order(one, other)
    elif isinstance(one, Quantity) and isinstance(other, Quantity):
        return quantities.order(one, other)
    raise CannotEvaluate("these types have no order")


def _ordered(*wanted: int) -> Operator:
    def operator(left: Items, right: Items) -> Items:
        found = order(left, right)
        return [] if found is None else [found in wanted]

    return operator


def member(one: Items, many: Items) -> Items:
    """``in``: whether the one value is in the collection."""
    if len(one) > 1:
        raise CannotEvaluate("one value is wanted")
    if not one:
        return []
    if isinstance(many, Kept):
        return [key(one[0]) in keys_of(many)]
    return [any(same(one[0], other) for other in many)]


def distinct(items: Items) -> Items:
    """Give each value once, in order; of two objects of unlike size no more has to be known."""
    plain = [one for one in items if type(one) is Node and value_of(one) is one]
    if len(items) == len(plain) == 2 and len(children(plain[0])) != len(children(plain[1])):
        return list(items)
    seen: dict[Any, Any] = {}
    for item in items:
        seen.setdefault(key(item), item)
    return list(seen.values())


def joined(left: Items, right: Items) -> Items:
    """``&``: two texts as one, empty as no text. Raises CannotEvaluate."""
    one, other = single(left), single(right)
    texts = ["" if value is None else value for value in (one, other)]
    if not all(isinstance(text, str) for text in texts):
        raise CannotEvaluate("a text is wanted")
    return ["".join(texts)]


def _arithmetic(act: Callable[[Any, Any], Any]) -> Operator:
    """An operator over two numbers; what has no answer (a division by zero) is empty."""

    def operator(left: Items, right: Items) -> Items:
        one, other = single(left), single(right)
        if one is None or other is None:
            return []
        if not _is_number(one) or not _is_number(other):
            raise CannotEvaluate("numbers are wanted")
        try:
            return [act(one, other)]
        except (ZeroDivisionError, InvalidOperation, OverflowError):
            return []

    return operator


_numbers_added = _arithmetic(lambda one, other: one + other)
_numbers_less = _arithmetic(lambda one, other: one - other)


def _whole(one: Any, other: Any) -> int:
    return int((Decimal(one) / Decimal(other)).to_integral_value(ROUND_DOWN))


def plus(left: Items, right: Items) -> Items:
    """``+``: numbers, texts, or quantities of one unit."""
    one, other = single(left), single(right)
    if isinstance(one, str) and isinstance(other, str):
        return [one + other]
    if isinstance(one, Quantity) and isinstance(other, Quantity) and one.unit == other.unit:
        return [Quantity(one.value + other.value, one.unit)]
    return _numbers_added(left, right)


def minus(left: Items, right: Items) -> Items:
    """``-``: numbers, or quantities of one unit."""
    one, other = single(left), single(right)
    if isinstance(one, Quantity) and isinstance(other, Quantity) and one.unit == other.unit:
        return [Quantity(one.value - other.value, one.unit)]
    return _numbers_less(left, right)


OPERATORS: dict[str, Operator] = {
    "=": equal,
    "!=": unequal,
    "~": equivalent,
    "!~": not_equivalent,
    "<": _ordered(-1),
    "<=": _ordered(-1, 0),
    ">": _ordered(1),
    ">=": _ordered(1, 0),
    "in": member,
    "contains": lambda many, one: member(one, many),
    "|": lambda left, right: distinct([*left, *right]),
    "&": joined,
    "+": plus,
    "-": minus,
    "*": _arithmetic(lambda one, other: one * other),
    "/": _arithmetic(lambda one, other: Decimal(one) / Decimal(other)),
    "div": _arithmetic(_whole),
    "mod": _arithmetic(lambda one, other: one - other * _whole(one, other)),
}
"""What each operator does; those of logic are in the compiler, which stops as soon as it can."""
