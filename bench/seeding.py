"""Put the dossiers into a server over HTTP, when its record cannot be filled from within.

By transactions where the server takes them, else the patients alone, one by one.
"""

from typing import NamedTuple

from bench.crud_mix import created_id
from bench.dossiers import dossier, id_of, surroundings
from bench.http_messages import Answer
from bench.patients import Resource, json_bytes, patient_bytes
from bench.targets import Asking, Target

DOSSIERS_TOGETHER = 20


class Seeded(NamedTuple):
    """What a server holds: the ids of the patients by their number, and how many resources."""

    ids: tuple[str, ...]
    resources: int
    how: str


def seed(target: Target, patients: int) -> Seeded:
    """Put that many dossiers into a server. Raises RuntimeError when it takes no patient."""
    asking = Asking(target)
    try:
        return _by_transactions(asking, patients) or _one_by_one(asking, patients)
    finally:
        asking.close()


def bundle_of(resources: list[Resource]) -> bytes:
    """Make the transaction that puts resources under their own ids."""
    entries = [
        {
            "resource": resource,
            "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
        }
        for resource in resources
    ]
    return json_bytes({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _by_transactions(asking: Asking, patients: int) -> Seeded | None:
    around = list(surroundings(patients))
    if asking.json("POST", "", bundle_of(around)) is None:
        return None
    done = len(around)
    for first in range(0, patients, DOSSIERS_TOGETHER):
        numbers = range(first, min(first + DOSSIERS_TOGETHER, patients))
        made = [resource for number in numbers for resource in dossier(number)]
        if asking.json("POST", "", bundle_of(made)) is None:
            raise RuntimeError("a transaction of dossiers was refused")
        done += len(made)
    ids = tuple(id_of("Patient", number) for number in range(patients))
    return Seeded(ids, done, "transactions over HTTP")


def _one_by_one(asking: Asking, patients: int) -> Seeded:
    ids = []
    for number in range(patients):
        found = asking.ask("POST", "Patient", patient_bytes(number))
        id_ = created_id("Patient", found) if 200 <= found.status < 300 else None
        if id_ is None:
            raise RuntimeError(f"a patient was refused: {found.status} {_said(found)}")
        ids.append(id_)
    return Seeded(tuple(ids), len(ids), "patients alone, one by one over HTTP")


def _said(found: Answer) -> str:
    return found.body[:300].decode("utf-8", "replace")
