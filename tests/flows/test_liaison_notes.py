"""The same notes by a push of the dossier and by the bundles of the liaison notebook's guide.

https://interop.esante.gouv.fr/ig/fhir/cdl/creation_note.html : one note to a transaction, its
address with an id that means nothing; actors are there already (flow 1a).
"""

import base64
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from passerelle.demo import samples
from tests.flows.canonical_equality import differences, gathered
from tests.flows.test_pdsm import Door, opened, tagged, without_ids

Json = dict[str, Any]


def dossier() -> Json:
    """Give a dossier with notes of every kind of author, a thread, a photo, an audience."""
    photo = base64.b64encode(b"\xff\xd8photo").decode()
    note = {"kind": "OBS", "createdAt": "2026-11-20T08:00:00+01:00", "status": "current"}
    return samples.qualified(b"%PDF-1.4 lettre") | {
        "notes": [
            note
            | {
                "key": "n1",
                "title": "Chute",
                "text": "Chute dans la nuit.\r\nRien de cassé ?",
                "author": "m1",
                "urgent": True,
                "files": [{"mimeType": "image/jpeg", "name": "genou.jpg", "data": photo}],
                "readBy": [{"member": "m2", "at": "2026-11-20T09:00:00+01:00"}],
            },
            note
            | {
                "key": "n2",
                "kind": "DEM-AVIS",
                "text": "Qui passe demain ?",
                "author": "person",
                "replyTo": "n1",
                "editedAt": "2026-11-21T08:00:00+01:00",
                "audience": {"hiddenFrom": ["MASQUE_PT", "MASQUE_PS"], "confidentiality": "R"},
            },
        ]
    }


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[tuple[Door, Door]]:
    """Two gateways with nothing in them."""
    for one in opened(f"sqlite:///{tmp_path / 'one.db'}", tmp_path / "one"):
        for other in opened(f"sqlite:///{tmp_path / 'two.db'}", tmp_path / "two"):
            yield one, other


def creation_bundles(resources: list[Json]) -> Iterator[Json]:
    """Give the transactions that create these notes: each with its photos, answers after."""
    binaries = {f"Binary/{one['id']}": one for one in resources if "data" in one}
    notes = [one for one in resources if one["resourceType"] == "DocumentReference"]
    for note in sorted(notes, key=lambda one: "relatesTo" in one):
        text = json.dumps(without_ids(note))
        named = [address for address in binaries if f'"{address}"' in text]
        for address in named:
            text = text.replace(address, f"urn:uuid:{binaries[address]['id']}")
        made = json.loads(text)
        for relation in made.get("relatesTo", ()):
            asked = relation["target"]["identifier"]
            relation["target"]["reference"] = (
                f"DocumentReference?identifier={asked['system']}|{asked['value']}"
            )
        entries = [entry(made, note["id"])]
        for address in named:
            binary = copy.deepcopy(without_ids(binaries[address]))
            binary["securityContext"]["reference"] = f"urn:uuid:{note['id']}"
            entries.append(entry(binary, binaries[address]["id"]))
        yield {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def entry(resource: Json, id_: str) -> Json:
    return {
        "fullUrl": f"urn:uuid:{id_}",
        "resource": resource,
        "request": {"method": "POST", "url": f"{resource['resourceType']}/{id_}"},
    }


def test_the_same_notes_come_in_natively_and_as_bundles_of_the_guide(
    doors: tuple[Door, Door],
) -> None:
    door, twin = doors
    content = dossier() | {"documents": []}
    assert door.push(content).status_code == 201
    searches = [f"{kind}?_tag={tagged(content)}" for kind in ("DocumentReference", "Binary")]
    native = gathered(door.get, *searches)
    assert len(native) == 3
    assert twin.push({k: v for k, v in content.items() if k != "notes"}).status_code == 201
    for bundle in creation_bundles(native):
        twin.provide(bundle)
    brought = gathered(twin.get, *searches)
    assert {one["id"] for one in native}.isdisjoint(one["id"] for one in brought)
    assert differences(native, brought) == ([], [])
    assert twin.pull(content)["notes"] == door.pull(content)["notes"] == content["notes"]
    again = twin.push(content).json()  # a push of what came in by FHIR finds it there
    assert {one["action"] for one in again["entries"]} == {"unchanged"}, again
    after = gathered(twin.get, *searches)
    assert sorted(one["id"] for one in after) == sorted(one["id"] for one in brought)
