"""Profiles, tags and security labels of a resource as sets.

https://hl7.org/fhir/R4/resource-operation-meta-add.html : a tag or a label is its system and code
(version and display are left out of the comparison), a profile is its whole address.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from passerelle.fhir.resource import Resource


def _of_coding(coding: Any) -> Hashable:
    return (coding.get("system"), coding.get("code"))


def _of_text(text: Any) -> Hashable:
    return str(text)


SETS: Mapping[str, Callable[[Any], Hashable]] = {
    "profile": _of_text,
    "security": _of_coding,
    "tag": _of_coding,
}
"""The elements of Meta that are sets, and what makes a member the same as another."""


def added(meta: Resource, more: Resource) -> Resource:
    """Give a Meta with the members of ``more`` that it lacks; what is there stays as it is."""
    changed = dict(meta)
    for name, identity in SETS.items():
        members = list(meta.get(name, ()))
        known = {identity(member) for member in members}
        for member in more.get(name, ()):
            if identity(member) not in known:
                known.add(identity(member))
                members.append(member)
        if members:
            changed[name] = members
    return changed


def removed(meta: Resource, less: Resource) -> Resource:
    """Give a Meta without the members of ``less``; what is not there is no fault."""
    changed = dict(meta)
    for name, identity in SETS.items():
        unwanted = {identity(member) for member in less.get(name, ())}
        members = [member for member in meta.get(name, ()) if identity(member) not in unwanted]
        if members:
            changed[name] = members
        else:
            changed.pop(name, None)
    return changed
