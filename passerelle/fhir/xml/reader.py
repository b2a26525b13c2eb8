"""FHIR XML in: to the very dict that the JSON form of the same resource would be decoded to.

https://hl7.org/fhir/R4/xml.html . Read by expat, which fetches nothing, in one pass; a document
type, hence any entity of one's own, stops it at once. Comments and instructions are left out. The
order of elements matters. Every fault is told with its expression and its line, all at once as far
as the text can be read at all. What a value may be is asked by the structure check afterwards.
"""

import re
from typing import Any

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.json_text import DEPTH_MAX
from passerelle.fhir.resource import Resource
from passerelle.fhir.xml.div_reader import DivReader
from passerelle.fhir.xml.element_forms import (
    FHIR,
    XHTML,
    Content,
    Form,
    resource_tags,
    type_form,
)
from passerelle.fhir.xml.open_element import OpenElement, TooDeep, leaf, put
from passerelle.fhir.xml.text_reading import TextReading

NODES_MAX = 1_000_000
"""Elements, and attributes, of one text: a transaction of 5,000 large entries has half as many."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-.]{0,63}")
_SCHEMA_HINT = re.compile("http://www.w3.org/2001/XMLSchema-instance .*[sS]chemaLocation")
_OBJECTS = {Content.PRIMITIVE: 1, Content.ELEMENTS: 1, Content.RESOURCE: 0, Content.XHTML: 0}
"""How many JSON objects an element with such content opens."""
_BLANKS = " \t\r\n"


def decode(body: bytes) -> Resource:
    """Read one resource.

    Raises Invalid with every fault, each with its place and its line: not UTF-8, not well-formed,
    a document type, too deep or too large, an element or attribute that the type does not have or
    not here, a wrong name space, text where there is none, a value that is none of its type.
    """
    text = body.removeprefix(b"\xef\xbb\xbf")
    if text[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<"):
        raise Invalid(issue("xml.not-utf8"))
    if text.count(b"<") > 2 * NODES_MAX or text.count(b"=") > NODES_MAX:
        raise Invalid(issue("xml.too-many-nodes", limit=NODES_MAX))
    return Reading(text).resource()


class Reading(TextReading):
    """One text being read.

    ``top`` is the element that is open; ``leaf`` is the primitive inside it that is open and has
    nothing but its value so far.
    """

    def __init__(self, text: bytes) -> None:
        self.top = self.document = OpenElement(None, None, 0)
        self.leaf: Form | None = None
        super().__init__(text)

    def resource(self) -> Resource:
        """Give the resource. Raises Invalid."""
        try:
            self.parse()
        except TooDeep:
            self.faults.append(issue("xml.too-deep", self.top.place(), limit=DEPTH_MAX))
        self.parser = None  # it holds this reading, and the text with it
        if self.faults:
            raise Invalid(*self.faults)
        assert self.document.node is not None  # a text without a root is not well-formed
        return self.document.node

    def listen(self) -> None:
        """Read elements of FHIR from here on."""
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element that the type around it has."""
        if self.leaf is not None:
            self._open_leaf(self.leaf)
        top = self.top
        form = top.elements.get(name)
        if form is None:
            self._start_other(name, attributes)
            return
        node = top.node if top.node is not None else self._beside(top)
        if (
            form.content is Content.PRIMITIVE
            and form.order >= top.last
            and len(attributes) == 1
            and leaf(form, node, attributes.get("value"))
        ):
            top.last = form.order
            self.leaf = form
            return
        opened = OpenElement(top, form, top.depth + form.many + _OBJECTS[form.content])
        if form.many:
            before = node.get(form.name)
            opened.index = 0 if before is None else len(before)
        elif form.name in node or form.sibling in node:
            self.fault("xml.repeated", opened.place(), name=form.place)
            self.skip()
            return
        if form.order >= top.last:
            top.last = form.order
        else:
            self.fault("xml.order", opened.place(), name=form.place)
        self.top = opened
        if form.content is Content.PRIMITIVE:
            self._primitive(opened, form, node, attributes)
        elif form.content is Content.ELEMENTS:
            if opened.depth > DEPTH_MAX:
                raise TooDeep
            inner: dict[str, Any] = {}
            opened.node = inner
            opened.elements, opened.attributes, *_ = type_form(form.type)
            put(node, form, inner)
            if attributes:
                self._attributes(opened, attributes)
        elif form.content is Content.RESOURCE:
            self._attributes(opened, attributes)
        else:
            self._narrative(opened, form, node, attributes)

    def _open_leaf(self, form: Form) -> None:
        """Open a primitive, of which so far only the value was taken: there is more inside."""
        top = self.top
        assert top.node is not None
        self.leaf = None
        self.top = opened = OpenElement(top, form, top.depth + form.many + 1)
        opened.filled = True
        if form.many:
            opened.index = len(top.node[form.name]) - 1
        if form.sibling is not None:
            opened.elements, opened.attributes, *_ = type_form("Element")

    def _primitive(
        self, opened: OpenElement, form: Form, node: dict[str, Any], attributes: dict[str, str]
    ) -> None:
        """Read the value; what else there is, here or inside, goes to the ``_`` member."""
        text = attributes.get("value")
        value: Any = text
        if text is not None:
            opened.filled = True
            if form.read is not None:
                try:
                    value = form.read(text)
                except (ValueError, ArithmeticError):
                    self.fault("xml.value", opened.place(), type=form.type)
        if text is not None or form.many:
            put(node, form, value)
        if form.sibling is not None:
            opened.elements, opened.attributes, *_ = type_form("Element")
        if len(attributes) != opened.filled:
            self._attributes(opened, {k: v for k, v in attributes.items() if k != "value"})

    def _beside(self, opened: OpenElement) -> dict[str, Any]:
        """Give the ``_`` member of an open primitive, put in its place beside the value."""
        form, parent = opened.form, opened.parent
        if opened.depth > DEPTH_MAX:
            raise TooDeep
        assert form is not None
        assert form.sibling is not None
        assert parent is not None
        assert parent.node is not None
        made: dict[str, Any] = {}
        opened.node = made
        if not form.many:
            parent.node[form.sibling] = made
            return made
        others = parent.node.setdefault(form.sibling, [])
        if not others:
            parent.ragged = [*(parent.ragged or ()), form]
        others += [None] * (opened.index - len(others))
        others.append(made)
        return made

    def _narrative(
        self, opened: OpenElement, form: Form, node: dict[str, Any], attributes: dict[str, str]
    ) -> None:
        """Hand the parser over until the ``div`` is closed."""

        def done(text: str) -> None:
            node[form.name] = text
            opened.filled = True
            self.listen()
            self._end("")

        DivReader(self.parser, self.text, attributes, leaning=self.prefixed, done=done)

    def _attributes(self, opened: OpenElement, attributes: dict[str, str]) -> None:
        """Take over the attributes that the type has; tell of the others."""
        for key, value in attributes.items():
            if key in opened.attributes:
                node = opened.node if opened.node is not None else self._beside(opened)
                node[key] = value
            else:
                shown = key if _NAME.fullmatch(key) else "?"
                self.fault("xml.unknown-attribute", opened.place(), name=shown)

    def _start_other(self, name: str, attributes: dict[str, str]) -> None:
        """Open a resource; or tell why there is no such element here, and pass over it."""
        top = self.top
        kind = resource_tags().get(name)
        holds = top is self.document or (
            top.form is not None and top.form.content is Content.RESOURCE
        )
        if kind is not None and holds and top.node is None:
            self._resource(top, kind, attributes)
            return
        space, _, local = name.rpartition(" ")
        shown = local if _NAME.fullmatch(local) else "?"
        place = top.place()
        if space != FHIR or f"{XHTML} {local}" in top.elements:
            self.fault("xml.name-space", place, name=shown)
        elif holds:
            rule = "xml.not-a-resource" if kind is None else "xml.one-resource"
            self.fault(rule, place, name=shown)
        else:
            self.fault("xml.unknown-element", f"{place}.{shown}" if shown != "?" else place)
        top.filled = True
        self.skip()

    def _resource(self, holder: OpenElement, kind: str, attributes: dict[str, str]) -> None:
        """Open a resource: the root, or the one that an element holds."""
        node: Resource = {"resourceType": kind}
        if holder.form is not None:
            assert holder.parent is not None
            assert holder.parent.node is not None
            put(holder.parent.node, holder.form, node)
        holder.node = node
        self.top = opened = OpenElement(holder, None, holder.depth + 1)
        if opened.depth > DEPTH_MAX:
            raise TooDeep
        opened.node = node
        opened.elements, opened.attributes, *_ = type_form(kind)
        root = holder is self.document
        self._attributes(
            opened,
            {k: v for k, v in attributes.items() if not (root and _SCHEMA_HINT.fullmatch(k))},
        )

    def _end(self, _: str) -> None:
        """Close the element that is open."""
        if self.leaf is not None:
            self.leaf = None
            return
        opened = self.top
        if not opened.filled and not opened.node:
            self.fault("xml.empty", opened.place())
        if opened.ragged is not None:
            opened.even()
        assert opened.parent is not None  # the document is never closed
        self.top = opened.parent

    def _characters(self, text: str) -> None:
        """Tell of text, which FHIR has in narratives only."""
        if text.strip(_BLANKS):
            if self.leaf is not None:
                self._open_leaf(self.leaf)
            self.top.filled = True
            self.fault("xml.text", self.top.place())
