"""What was done to a dossier, as a Provenance: what was written, from what, by whom, when.

https://hl7.org/fhir/R4/provenance.html . Targets name the versions that the act wrote, entities of
role ``revision`` those that stood before: whoever undoes an act finds there what it changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.urls import DOSSIER_TAG, PASSERELLE
from passerelle.mappers.resources.fhir_elements import Element, filled

ACTS = PASSERELLE + "/CodeSystem/dossier-act"

TITLES = {
    "close": "Dossier clos",
    "suspend": "Dossier suspendu",
    "reopen": "Dossier rouvert",
    "declare-death": "Décès déclaré",
    "cancel-death": "Déclaration de décès annulée",
}
"""What each act is called."""


class Step(NamedTuple):
    """One resource that an act wrote: the version that stood before (0: none) and the one after."""

    key: Key
    before: int
    after: int


class Author(NamedTuple):
    """Who acts, in which dossier (``system|value``) of which platform, at which moment."""

    who: Element
    tag: str
    platform: str
    at: str


def to_fhir(id: str, act: str, author: Author, steps: Iterable[Step], *, recorded: str) -> Resource:
    """Make the Provenance of an act."""
    steps = tuple(steps)
    return filled(
        {
            "resourceType": "Provenance",
            "id": id,
            "meta": {
                "source": author.platform,
                "tag": [{"system": DOSSIER_TAG, "code": author.tag}],
            },
            "target": [_reference(step.key, step.after) for step in steps],
            "occurredDateTime": author.at,
            "recorded": recorded,
            "activity": {"coding": [{"system": ACTS, "code": act, "display": TITLES[act]}]},
            "agent": [{"who": author.who}],
            "entity": [
                {"role": "revision", "what": _reference(step.key, step.before)}
                for step in steps
                if step.before
            ],
        }
    )


def act_of(provenance: Mapping[str, Any]) -> str | None:
    """Read which act a Provenance is of, None when it is of none."""
    codings: Sequence[Element] = provenance.get("activity", {}).get("coding", ())
    return next((one.get("code") for one in codings if one.get("system") == ACTS), None)


def steps_of(provenance: Mapping[str, Any]) -> list[Step]:
    """Read what an act wrote. Raises ValueError for what no act of ours wrote."""
    before = dict(_version(one["what"]) for one in provenance.get("entity", ()))
    targets = (_version(one) for one in provenance["target"])
    steps = [Step(key, before.get(key, 0), after) for key, after in targets]
    if not all(0 <= step.before < step.after for step in steps):
        raise ValueError("a version stands before itself")
    return steps


def _reference(key: Key, version: int) -> Element:
    return {"reference": f"{key}/_history/{version}"}


def _version(reference: Element) -> tuple[Key, int]:
    address, _, version = str(reference.get("reference")).partition("/_history/")
    type, _, id = address.partition("/")
    return Key(type, id), int(version)
