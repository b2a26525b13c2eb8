"""JSON Patch of a resource (https://www.rfc-editor.org/rfc/rfc6902, R4 http.html#patch).

Numbers stay as they are written: a patch is read by the reader of resources, and what it does not
touch is the very object that was there. Own code: a library would compare 1 with true, and has no
bound on what ``copy`` can make of a small text.
"""

from copy import deepcopy
from decimal import Decimal
from typing import Any, NamedTuple

from passerelle.errors.refusals import Invalid, Issue, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.patch import json_pointer
from passerelle.fhir.patch.json_pointer import NowhereError, Pointer

OPERATIONS_MAX = 1000
COPIED_BYTES_MAX = 5_000_000
"""As much text all ``copy`` operations of a patch may make together."""

_FROM = frozenset({"move", "copy"})
_VALUED = frozenset({"add", "replace", "test"})
KINDS = _FROM | _VALUED | {"remove"}


class Operation(NamedTuple):
    """One operation; ``source`` is its ``from``."""

    kind: str
    path: Pointer
    source: Pointer | None = None
    value: Any = None


class _RefusedError(Exception):
    """An operation cannot be done; its message is the slug of the rule."""


def parse(body: bytes) -> tuple[Operation, ...]:
    """Read a patch document, a JSON array. Raises Invalid with every malformed operation."""
    return operations(document(body))


def document(body: bytes) -> Any:
    """Decode a patch document as resources are, decimals as they are written. Raises Invalid."""
    wrapped = json_text.decode(b'{"":' + body + b"}")
    if list(wrapped) != [""]:
        raise Invalid(issue("json.malformed"))
    return wrapped[""]


def operations(decoded: Any) -> tuple[Operation, ...]:
    """Read a decoded patch document. Raises Invalid with every malformed operation."""
    if not isinstance(decoded, list):
        raise Invalid(issue("patch.json-array", ""))
    if len(decoded) > OPERATIONS_MAX:
        raise Invalid(issue("patch.too-many-operations", "", limit=OPERATIONS_MAX))
    faults: list[Issue] = []
    read = [_operation(one, f"/{number}", faults) for number, one in enumerate(decoded)]
    if faults:
        raise Invalid(*faults)
    return tuple(one for one in read if one is not None)


def _operation(given: Any, place: str, faults: list[Issue]) -> Operation | None:
    if not isinstance(given, dict):
        faults.append(issue("patch.operation-object", place))
        return None
    kind = given.get("op")
    if not isinstance(kind, str) or kind not in KINDS:
        faults.append(issue("patch.operation-unknown", f"{place}/op"))
        return None
    path = _pointer(given, "path", place, faults)
    source = _pointer(given, "from", place, faults) if kind in _FROM else None
    if kind in _VALUED and "value" not in given:
        faults.append(issue("patch.member-missing", place, name="value"))
    if kind == "move" and path and source and path.is_within(source):
        faults.append(issue("patch.move-into-itself", f"{place}/path"))
    return None if path is None else Operation(kind, path, source, given.get("value"))


def _pointer(given: dict[str, Any], name: str, place: str, faults: list[Issue]) -> Pointer | None:
    text = given.get(name)
    if not isinstance(text, str):
        faults.append(issue("patch.member-missing", place, name=name))
        return None
    pointer = json_pointer.parse(text)
    if pointer is None:
        faults.append(issue("patch.pointer-malformed", f"{place}/{name}"))
    return pointer


def apply(patch: tuple[Operation, ...], document: Any) -> Any:
    """Give the patched document; the one handed in is not changed.

    Raises Unprocessable at the first operation that cannot be done, by its JSON Pointer in the
    patch document.
    """
    holder = {"": deepcopy(document)}
    copied = 0
    for number, operation in enumerate(patch):
        place = f"/{number}"
        try:
            if operation.kind == "copy":
                copied += _copy(holder, operation, COPIED_BYTES_MAX - copied)
            else:
                _DO[operation.kind](holder, operation)
        except NowhereError:
            raise Unprocessable(issue("patch.nowhere", place)) from None
        except _RefusedError as refusal:
            raise Unprocessable(issue(str(refusal), place)) from None
    return holder[""]


def _in(pointer: Pointer) -> Pointer:
    """Give the pointer from the object that holds the document as its one member."""
    return Pointer(("", *pointer.steps))


def _place(holder: Any, pointer: Pointer) -> tuple[Any, str]:
    """Give what holds a place, and the last step to it."""
    whole = _in(pointer)
    return json_pointer.value_at(holder, Pointer(whole.steps[:-1])), whole.steps[-1]


def _put(holder: Any, pointer: Pointer, value: Any) -> None:
    """Add a value at a place (RFC 6902 section 4.1)."""
    parent, step = _place(holder, pointer)
    if isinstance(parent, dict):
        parent[step] = value
    elif isinstance(parent, list):
        at = len(parent) if step == "-" else json_pointer.index(step, len(parent))
        parent.insert(at, value)
    else:
        raise NowhereError


def _take(holder: Any, pointer: Pointer) -> Any:
    """Remove what is at a place and give it (section 4.2)."""
    parent, step = _place(holder, pointer)
    found = json_pointer.child(parent, step)
    if not pointer.steps:
        raise _RefusedError("patch.whole-resource")
    if isinstance(parent, dict):
        del parent[step]
    else:
        del parent[int(step)]
    return found


def _add(holder: Any, operation: Operation) -> None:
    _put(holder, operation.path, deepcopy(operation.value))


def _remove(holder: Any, operation: Operation) -> None:
    _take(holder, operation.path)


def _replace(holder: Any, operation: Operation) -> None:
    parent, step = _place(holder, operation.path)
    json_pointer.child(parent, step)
    parent[step if isinstance(parent, dict) else int(step)] = deepcopy(operation.value)


def _move(holder: Any, operation: Operation) -> None:
    assert operation.source is not None
    if operation.source == operation.path:
        json_pointer.value_at(holder, _in(operation.path))
        return
    _put(holder, operation.path, _take(holder, operation.source))


def _copy(holder: Any, operation: Operation, left: int) -> int:
    """Copy a value; give the bytes that it takes, at most ``left``."""
    assert operation.source is not None
    found = json_pointer.value_at(holder, _in(operation.source))
    size = len(json_text.encode(found))
    if size > left:
        raise _RefusedError("patch.too-much-copied")
    _put(holder, operation.path, deepcopy(found))
    return size


def _test(holder: Any, operation: Operation) -> None:
    if not equal(json_pointer.value_at(holder, _in(operation.path)), operation.value):
        raise _RefusedError("patch.test-failed")


_DO = {"add": _add, "remove": _remove, "replace": _replace, "move": _move, "test": _test}


def equal(one: Any, other: Any) -> bool:
    """Compare as section 4.6 does: numbers by their value, members in any order."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(equal(value, other[name]) for name, value in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(equal, one, other))
    if _is_number(one):
        return _is_number(other) and bool(one == other)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
