"""An element that has been opened and not yet closed: what it is, and what it fills."""

from collections.abc import Mapping
from typing import Any

from passerelle.fhir.xml.element_forms import NOTHING, Form


class TooDeep(Exception):
    """Elements stand deeper in one another than is read."""


class OpenElement:
    """One open element.

    ``form`` is None for the document and for a resource; ``node`` is the JSON object that it
    fills, None for a primitive that has only its value, and for what holds a resource until that
    has come; ``last`` is the order of the element inside that came last; ``filled`` tells that
    there is something to it; ``ragged`` are the arrays of primitives inside with ``_`` members.
    """

    __slots__ = (
        "attributes",
        "depth",
        "elements",
        "filled",
        "form",
        "index",
        "last",
        "node",
        "parent",
        "ragged",
    )

    def __init__(self, parent: "OpenElement | None", form: Form | None, depth: int) -> None:
        """Open it, without anything inside yet.

        ``depth`` is that of the JSON object it fills, counted in objects and arrays.
        """
        self.parent = parent
        self.form = form
        self.elements: Mapping[str, Form] = NOTHING.elements
        self.attributes: frozenset[str] = NOTHING.attributes
        self.node: dict[str, Any] | None = None
        self.depth = depth
        self.filled = False
        self.index = 0
        self.last = -1
        self.ragged: list[Form] | None = None

    def place(self) -> str:
        """Give the FHIRPath expression of the element."""
        if self.parent is None:
            return "Resource"
        if self.form is not None:
            index = f"[{self.index}]" if self.form.many else ""
            return f"{self.parent.place()}.{self.form.place}{index}"
        if self.parent.parent is None and self.node is not None:
            return str(self.node["resourceType"])
        return self.parent.place()  # a resource stands where what holds it stands

    def even(self) -> None:
        """Give arrays of primitives and of their ``_`` members the same length, padded with null.

        Where no member has a value there is no array of values.
        """
        for form in self.ragged or ():
            if self.node is None or form.sibling is None:
                continue
            values, beside = self.node[form.name], self.node[form.sibling]
            if all(value is None for value in values):
                del self.node[form.name]
            else:
                beside += [None] * (len(values) - len(beside))


def put(node: dict[str, Any], form: Form, value: object) -> None:
    """Put a value where JSON has it."""
    if not form.many:
        node[form.name] = value
    elif form.name in node:
        node[form.name].append(value)
    else:
        node[form.name] = [value]


def leaf(form: Form, node: dict[str, Any], text: str | None) -> bool:
    """Put in a primitive that has nothing but its value; False, and nothing put, when in doubt."""
    if text is None or (not form.many and (form.name in node or form.sibling in node)):
        return False
    value: Any = text
    if form.read is not None:
        try:
            value = form.read(text)
        except (ValueError, ArithmeticError):
            return False
    put(node, form, value)
    return True
