"""What counts as the same, and what does not, when two records are compared."""

import copy
from typing import Any

import pytest

from tests import pdsm
from tests.flows.canonical_equality import canonical, differences

Json = dict[str, Any]


def record(prefix: str = "a", version: str = "1") -> list[Json]:
    """Give a document, its bytes, an author without an identifier, and a list, under some ids."""
    meta = {"versionId": version, "lastUpdated": f"2026-01-0{version}T00:00:00Z"}
    document = pdsm.document(url=f"Binary/{prefix}-b", subject={"reference": f"Patient/{prefix}-p"})
    document["author"] = [{"reference": f"Practitioner/{prefix}-d"}]
    document["meta"] = document["meta"] | meta
    other = {"resourceType": "Practitioner", "name": [{"family": "Martin"}]}
    return [
        document | {"id": f"{prefix}-doc"},
        pdsm.binary() | {"id": f"{prefix}-b", "meta": meta},
        pdsm.patient(id=f"{prefix}-p") | {"meta": meta},
        other | {"id": f"{prefix}-d", "name": [{"family": "Dupont"}]},
        other | {"id": f"{prefix}-e"},
        pdsm.folder("Suivi", f"DocumentReference/{prefix}-doc", f"Practitioner/{prefix}-e")
        | {"id": f"{prefix}-l"},
    ]


def test_ids_versions_instants_and_the_order_of_resources_say_nothing() -> None:
    assert differences(record(), record("z", "7")[::-1]) == ([], [])
    absolute = copy.deepcopy(record("z"))
    absolute[0]["subject"]["reference"] = "http://127.0.0.1:8080/fhir/Patient/z-p"
    absolute[5]["entry"].reverse()
    assert canonical(record()) == canonical(absolute)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((0, "author", 0, "reference"), "Practitioner/a-e"),
        ((0, "status"), "superseded"),
        ((1, "data"), "YQ=="),
        ((3, "name", 0, "family"), "Durand"),
        ((5, "entry", 1, "item", "reference"), "Practitioner/a-d"),
        ((2, "identifier", 0, "value"), "157"),
        ((0, "date"), "2026-01-12T11:00:00Z"),
    ],
)
def test_whatever_is_said_otherwise_is_told(place: tuple[Any, ...], value: str) -> None:
    changed: Any = record()
    node = changed
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    only_one, only_other = differences(record(), changed)
    assert only_one
    assert only_other
