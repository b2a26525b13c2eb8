"""The intended recipients of a submission set: whether they could be told of it.

https://profiles.ihe.net/ITI/MHD/ITI-65.html (2:3.65.4.1.3): a recipient of documents succeeds with
a warning where nobody is notified. The gateway notifies nobody by itself: documents leave by
`$send-mss`, which looks at rights, identity and white list.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.document_sharing.pdsm_profiles import INTENDED_RECIPIENTS, list_type
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.resource import Key, Resource
from passerelle.store.caller import Caller

ACTORS = ("practitioner", "organization")
"""Whom a PractitionerRole leads to: their address is as good as its own."""

RECIPIENTS_MAX = 20
"""As many of one set are looked up."""


async def check(
    gateway: Gateway, caller: Caller, submission_set: Resource, made: Mapping[Key, Resource]
) -> list[Issue]:
    """Warn of every intended recipient of a List: unknown, or known and not notified.

    ``made`` has the resources of the same commit.
    """
    if submission_set.get("resourceType") != "List" or list_type(submission_set) != "submissionset":
        return []
    found = []
    for place, reference in list(_stated(submission_set))[:RECIPIENTS_MAX]:
        looking = _Looking(gateway, caller, submission_set, made)
        known = await looking.has_address(reference)
        rule = "document.recipient-unavailable" if known else "document.recipient-unknown"
        found.append(issue(rule, place))
    return found


def _stated(submission_set: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, extension in enumerate(submission_set.get("extension", ())):
        if extension.get("url") in INTENDED_RECIPIENTS:
            place = f"List.extension[{number}].valueReference"
            yield place, extension.get("valueReference") or {}


class _Looking:
    """The looking for one recipient: contained, made along, or in the record."""

    def __init__(
        self,
        gateway: Gateway,
        caller: Caller,
        submission_set: Resource,
        made: Mapping[Key, Resource],
    ) -> None:
        self.gateway = gateway
        self.caller = caller
        self.contained = {one.get("id"): one for one in submission_set.get("contained", ())}
        self.made = made

    async def has_address(self, reference: Mapping[str, Any]) -> bool:
        """Tell whether a mail address of an actor is known, or of whom its role leads to."""
        actor = await self._target(reference)
        if actor is None:
            return False
        others = [await self._target(actor.get(name) or {}) for name in ACTORS]
        return any(_addresses(one) for one in (actor, *others) if one is not None)

    async def _target(self, reference: Mapping[str, Any]) -> Resource | None:
        literal = reference.get("reference")
        if not isinstance(literal, str):
            return None
        if literal.startswith("#"):
            return self.contained.get(literal[1:])
        key = key_of(literal, self.gateway.base_url)
        if key is None or key in self.made:
            return None if key is None else self.made[key]
        head = await self.gateway.store.read(key, self.caller)
        return None if head is None or head.body is None else json_text.decode(head.body)


def _addresses(actor: Resource) -> list[Any]:
    telecom = actor.get("telecom", ())
    return [one for one in telecom if one.get("system") == "email" and one.get("value")]
