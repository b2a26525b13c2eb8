"""Folders of a dossier: Lists kept in step with what is pushed, by name, in the same commit."""

import json
from typing import Any

import pytest

from passerelle.dossiers.exchange.dossier_record import read_record
from passerelle.dossiers.exchange.extraction import extract
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.repository import Repository
from passerelle.fhir import json_text
from passerelle.fhir.document_sharing import pdsm_rules
from passerelle.fhir.document_sharing.pdsm_profiles import FOLDER, profiles
from passerelle.mappers.native.dossier import Dossier, dump
from passerelle.store.caller import SYSTEM

pytestmark = pytest.mark.anyio


@pytest.fixture
def content(sample) -> dict[str, Any]:
    """A dossier with three documents, two of them in one folder."""
    made: dict[str, Any] = json.loads(dump(sample))
    first = made["documents"][0]
    made["documents"] = [
        first
        | {"key": f"d{number}", "folder": folder, "depositedAt": f"2026-01-1{number}T09:00:00Z"}
        for number, folder in ((1, "Suivi / diabète"), (2, "Suivi / diabète"), (3, "Sociaux"))
    ]
    for document in made["documents"]:
        document.pop("uniqueId", None)
    for task in made["tasks"]:
        task.pop("about", None)
    return made


async def push(gateway, content: dict[str, Any]) -> None:
    dossier = Dossier(content)
    options = {"if_match": None, "strict": True, "dry_run": False}
    await receive(gateway, SYSTEM, dossier.tag, dump(dossier), **options)


async def folders(gateway, content: dict[str, Any]) -> dict[str, tuple[str, int, list[str]]]:
    """Give status, version and documents of each List, by title."""
    record = await read_record(gateway, SYSTEM, Dossier(content).tag)
    found = {}
    for version in record.tagged:
        if version.key.type == "List":
            held = json_text.decode(version.body or b"{}")
            values = [one["item"]["identifier"]["value"] for one in held.get("entry", ())]
            keys = [value.rpartition("/")[2] for value in values]
            found[held["title"]] = (held["status"], version.version, keys)
            assert (FOLDER in profiles(held)) == (held["status"] == "current")
            assert pdsm_rules.check(held) == []
    return found


async def pulled(gateway, content: dict[str, Any]) -> dict[str, str | None]:
    found = json.loads((await extract(gateway, SYSTEM, Dossier(content).tag)).body)
    return {one["key"]: one.get("folder") for one in found["documents"]}


def only(content: dict[str, Any], *keys: str, **changed: Any) -> dict[str, Any]:
    """Give a push of some documents only, with something changed."""
    documents = [one | changed for one in content["documents"] if one["key"] in keys]
    return {k: v for k, v in content.items() if k not in ("tasks", "appointments")} | {
        "documents": [{k: v for k, v in one.items() if v is not None} for one in documents]
    }


async def changed(gateway, content: dict[str, Any], title: str, change: Any) -> None:
    """Have somebody write on a List by FHIR."""
    record = await read_record(gateway, SYSTEM, Dossier(content).tag)
    for version in record.tagged:
        held = json_text.decode(version.body or b"{}")
        if held.get("title") == title and version.key.type == "List":
            change(held)
            await Repository(gateway, SYSTEM).update(version.key, held)


async def test_a_folder_is_a_list_of_its_documents_and_pushing_again_makes_no_version(
    gateway, content
):
    await push(gateway, content)
    wanted = {
        "Suivi / diabète": ("current", 1, ["d1", "d2"]),
        "Sociaux": ("current", 1, ["d3"]),
    }
    assert await folders(gateway, content) == wanted
    await push(gateway, content)
    assert await folders(gateway, content) == wanted
    assert await pulled(gateway, content) == {
        "d1": "Suivi / diabète",
        "d2": "Suivi / diabète",
        "d3": "Sociaux",
    }


async def test_documents_that_a_push_does_not_speak_of_stay_in_their_folders(gateway, content):
    await push(gateway, only(content, "d1"))
    await push(gateway, only(content, "d2", "d3"))
    found = await folders(gateway, content)
    assert found["Suivi / diabète"][2] == ["d1", "d2"]
    await push(gateway, only(content, "d1", title="Autre titre"))
    assert await folders(gateway, content) == found


async def test_a_document_that_moves_leaves_its_folder_and_an_empty_folder_is_retired(
    gateway, content
):
    await push(gateway, content)
    moved = only(content, "d3", folder="Suivi / diabète")
    await push(gateway, moved)
    wanted = {
        "Suivi / diabète": ("current", 2, ["d1", "d2", "d3"]),
        "Sociaux": ("retired", 2, []),
    }
    assert await folders(gateway, content) == wanted
    await push(gateway, moved)
    assert await folders(gateway, content) == wanted
    await push(gateway, only(content, "d1", folder=None))
    await push(gateway, only(content, "d2", folder="Sociaux"))
    assert await folders(gateway, content) == {
        "Suivi / diabète": ("current", 4, ["d3"]),
        "Sociaux": ("current", 3, ["d2"]),
    }
    assert await pulled(gateway, content) == {
        "d1": None,
        "d2": "Sociaux",
        "d3": "Suivi / diabète",
    }


async def test_what_somebody_files_by_fhir_is_pulled_and_stays(gateway, content):
    await push(gateway, content)
    record = await read_record(gateway, SYSTEM, Dossier(content).tag)
    third = next(
        version.key
        for version in record.tagged
        if version.key.type == "DocumentReference" and b"/d3" in (version.body or b"")
    )

    def file(held: dict[str, Any]) -> None:
        held["note"] = [{"text": "classé par l'hôpital"}]
        held["entry"].append({"item": {"reference": str(third)}})
        held["entry"].append({"item": {"reference": "DocumentReference/elsewhere"}})

    def take_out(held: dict[str, Any]) -> None:
        del held["entry"], held["meta"]["profile"]
        held["status"] = "retired"

    await changed(gateway, content, "Suivi / diabète", file)
    await changed(gateway, content, "Sociaux", take_out)
    assert (await pulled(gateway, content))["d3"] == "Suivi / diabète"
    await push(gateway, only(content, "d1", title="Autre titre"))
    record = await read_record(gateway, SYSTEM, Dossier(content).tag)
    (held,) = (
        json_text.decode(version.body or b"{}")
        for version in record.tagged
        if version.key.type == "List" and b"retired" not in (version.body or b"")
    )
    assert [one["item"]["reference"] for one in held["entry"]][2:] == [
        str(third),
        "DocumentReference/elsewhere",
    ]
    assert held["note"] == [{"text": "classé par l'hôpital"}]


async def test_a_folder_that_somebody_retired_holds_nothing_until_it_is_filled_again(
    gateway, content
):
    await push(gateway, content)
    await changed(gateway, content, "Suivi / diabète", lambda held: held.update(status="retired"))
    await push(gateway, only(content, "d3", title="Autre titre"))
    assert (await pulled(gateway, content))["d1"] is None
    await push(gateway, content)
    assert (await pulled(gateway, content))["d1"] == "Suivi / diabète"


async def test_a_folder_that_an_older_record_says_on_the_document_is_read(gateway, content):
    from passerelle.mappers.resources.fhir_elements import own

    await push(gateway, only(content, "d1", folder=None))
    record = await read_record(gateway, SYSTEM, Dossier(content).tag)
    version = next(one for one in record.tagged if one.key.type == "DocumentReference")
    held = json_text.decode(version.body or b"{}")
    held["extension"] = [*held.get("extension", ()), own("document-folder", valueString="Ancien")]
    await Repository(gateway, SYSTEM).update(version.key, held)
    assert await pulled(gateway, content) == {"d1": "Ancien"}
