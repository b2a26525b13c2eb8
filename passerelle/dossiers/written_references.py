"""References of what is written: whether they lead to something that is there.

https://hl7.org/fhir/R4/references.html#literal . Asked before the commit; where the policy is to
enforce, the commit asks again (``Unit.present``), so that what is referred to cannot be deleted in
between.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Issue, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.reference_places import Reference, references
from passerelle.fhir.resource import Key, Resource
from passerelle.store.caller import Caller

MISSING = {"enforce": "reference.missing", "warn": "reference.not-there"}
"""The rule that a reference to nothing breaks, by policy: the first refuses, the second warns."""


class Checked(NamedTuple):
    """What must still be there at the commit, and what there is to say of what is not."""

    present: tuple[Key, ...] = ()
    warnings: tuple[Issue, ...] = ()


def references_of(gateway: Gateway, key: Key, resource: Resource) -> tuple[Reference, ...]:
    """Give the references that are looked at: none without a policy, none to itself."""
    if gateway.writing.references == "off":
        return ()
    types = resource_types()
    return tuple(
        found
        for found in references(resource, gateway.base_url)
        if found.key != key and found.key.type in types
    )


async def missing(
    gateway: Gateway,
    caller: Caller,
    found: Iterable[Reference],
    *,
    made: Collection[Key] = (),
    deleted: Collection[Key] = (),
) -> tuple[frozenset[Key], tuple[Key, ...]]:
    """Give (the keys that lead to nothing, those outside that must stay) of some references.

    ``made`` will be there by the same commit, ``deleted`` will not.
    """
    outside = tuple(dict.fromkeys(one.key for one in found if one.key not in made))
    there = await gateway.store.living(outside, caller) if outside else frozenset()
    gone = frozenset(key for key in outside if key not in there or key in deleted)
    present = tuple(key for key in outside if key not in gone)
    return gone, present if gateway.writing.references == "enforce" else ()


def told(gateway: Gateway, found: Iterable[Reference], gone: Collection[Key]) -> tuple[Issue, ...]:
    """Give an issue at each reference that leads to nothing: grave where that is enforced."""
    rule = MISSING.get(gateway.writing.references)
    if rule is None:
        return ()
    return tuple(issue(rule, one.path) for one in found if one.key in gone)


async def check(
    gateway: Gateway, caller: Caller, key: Key, resource: Resource, *, warns: bool = True
) -> Checked:
    """Check one resource that is to be written. Raises Unprocessable with every reference.

    Without ``warns`` nobody reads the warnings, so that nothing is looked up for them alone.
    """
    if not warns and gateway.writing.references == "warn":
        return Checked()
    found = references_of(gateway, key, resource)
    if not found:
        return Checked()
    gone, present = await missing(gateway, caller, found)
    issues = told(gateway, found, gone)
    if issues and gateway.writing.references == "enforce":
        raise Unprocessable(*issues)
    return Checked(present, issues)
