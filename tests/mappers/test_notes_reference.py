"""A note is a DocumentReference of the liaison notebook: what the guide wants, and what comes back.

https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition-cdl-document-reference.html
"""

from base64 import b64decode, b64encode
from hashlib import sha1
from itertools import permutations

import pytest

from passerelle.dossiers.rights_columns import rights_columns
from passerelle.fhir.urls import CDL
from passerelle.mappers.native.dossier import dump
from passerelle.mappers.native.dossier_form import parse
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.resources.code_systems import TRE_A07, TRE_R234
from passerelle.mappers.resources.notes_reference import STRICTEST_FIRST
from tests.mappers.test_dossier_correspondence import golden, made, of

NOTE = {
    "key": "n1",
    "kind": "DEM-AVIS",
    "text": "Chute dans la nuit.\r\nVoir le traitement ?",
    "author": "m1",
    "createdAt": "2026-11-20T08:00:00+01:00",
}


def noted(*notes, **changes):
    return golden(notes=[*notes] or [{**NOTE, **changes}])


def reference(dossier, key="n1"):
    return of(made(dossier), "notes", key)


def back(dossier):
    entries = made(dossier)
    blobs = {one.resource["id"]: one.blob for one in entries if one.blob is not None}
    return from_fhir([one.resource for one in entries], blobs)


def test_a_note_is_what_the_guide_shows():
    made = reference(noted(urgent=True, title="Chute"))
    assert made["meta"]["profile"] == [CDL + "cdl-document-reference"]
    assert made["masterIdentifier"] == made["identifier"][0]
    coding = {"system": TRE_R234, "code": "DEM-AVIS", "display": "Demande d'avis"}
    assert made["type"] == {"coding": [coding]}
    assert made["extension"] == [{"url": CDL + "cdl-ext-is-emergency", "valueBoolean": True}]
    assert made["date"] == NOTE["createdAt"]
    assert {"docStatus", "authenticator", "custodian", "securityLabel"}.isdisjoint(made)
    (content,) = made["content"]
    data = NOTE["text"].encode()
    assert content["attachment"] == {
        "contentType": "text/plain",
        "data": b64encode(data).decode(),
        "size": len(data),
        "hash": b64encode(sha1(data).digest()).decode(),
        "title": "Chute",
    }


@pytest.mark.parametrize(
    ("author", "types"),
    [
        ("m1", ["Practitioner", "PractitionerRole"]),
        ("m2", ["RelatedPerson"]),
        ("m4", ["Organization", "Organization"]),
        ("person", ["Patient"]),
    ],
)
def test_an_author_is_named_by_what_a_search_asks_for(author, types):
    dossier = noted(author=author)
    found = [one["reference"].partition("/")[0] for one in reference(dossier)["author"]]
    assert found == types
    assert back(dossier) == dossier


@pytest.mark.parametrize("hidden", [*permutations(STRICTEST_FIRST, 2), STRICTEST_FIRST[::-1]])
def test_of_several_labels_the_strictest_goes_out_and_all_are_enforced(hidden):
    dossier = noted(audience={"hiddenFrom": [*hidden], "confidentiality": "R"})
    made = reference(dossier)
    strictest = min(hidden, key=STRICTEST_FIRST.index)
    (label,) = made["securityLabel"]
    assert label == {"coding": [{"system": TRE_A07, "code": strictest}]}
    columns = rights_columns(made)
    assert set(columns.hidden.split()) == set(hidden)
    assert (columns.confidentiality, columns.element) == ("R", "notes")
    assert back(dossier) == dossier


def test_one_label_says_all_there_is_to_say():
    made = reference(noted(audience={"hiddenFrom": ["MASQUE_PT"]}))
    assert made["securityLabel"][0]["coding"][0]["code"] == "MASQUE_PT"
    assert "security" not in made["meta"]


def test_a_label_that_another_put_there_is_read():
    entries = made(noted(audience={"hiddenFrom": ["MASQUE_PT", "MASQUE_PSOCIAL"]}))
    note = of(entries, "notes", "n1")
    note["securityLabel"] = [{"coding": [{"system": TRE_A07, "code": "MASQUE_PS"}]}]
    (read,) = from_fhir([one.resource for one in entries], None).section("notes")
    assert read["audience"]["hiddenFrom"] == ["MASQUE_PT", "MASQUE_PSOCIAL", "MASQUE_PS"]


def test_a_reply_appends_to_the_note_that_it_answers():
    dossier = noted(NOTE, {**NOTE, "key": "n2", "replyTo": "n1"})
    (relation,) = reference(dossier, "n2")["relatesTo"]
    assert relation["code"] == "appends"
    first = reference(dossier)
    assert relation["target"]["reference"] == f"DocumentReference/{first['id']}"
    assert back(dossier) == dossier


def test_a_photo_is_a_second_content_with_a_binary_of_its_own():
    photo = {"mimeType": "image/jpeg", "name": "plaie.jpg", "data": b64encode(b"\xff\xd8").decode()}
    document = golden().content["documents"][0]
    key = document["key"]
    dossier = golden(notes=[{**NOTE, "key": key, "files": [photo]}])
    entries = made(dossier)
    binaries = [one for one in entries if one.blob is not None]
    assert {one.section for one in binaries} == {"documents", "notes"}
    assert len({one.resource["id"] for one in binaries}) == len(binaries)
    note = of(entries, "notes", key)
    (binary,) = [one.resource for one in binaries if one.section == "notes"]
    assert note["content"][1]["attachment"]["url"] == f"Binary/{binary['id']}"
    assert binary["securityContext"]["reference"] == f"DocumentReference/{note['id']}"
    assert back(dossier) == dossier


def test_a_photo_that_came_inline_is_read_beside_the_text():
    entries = made(noted())
    note = of(entries, "notes", "n1")
    photo = {"attachment": {"contentType": "image/png", "data": "iVBORw=="}}
    note["content"] = [photo, *note["content"]]
    (read,) = from_fhir([one.resource for one in entries], None).section("notes")
    assert read["text"] == NOTE["text"]
    assert read["files"] == [{"mimeType": "image/png", "data": "iVBORw=="}]
    assert b64decode(read["files"][0]["data"]).startswith(b"\x89PN")


def test_notes_and_documents_of_one_key_are_told_apart():
    key = golden().content["documents"][0]["key"]
    dossier = golden(notes=[{**NOTE, "key": key}])
    read = back(dossier)
    assert read.section("notes") == dossier.section("notes")
    assert read.section("documents") == dossier.section("documents")


@pytest.mark.parametrize(
    ("change", "rule", "place"),
    [
        ({"editedAt": "2026-11-19T08:00:00+01:00"}, "dossier.period-order", "/notes/0/editedAt"),
        ({"replyTo": "n1"}, "dossier.reference-cycle", "/notes/0/replyTo"),
        ({"replyTo": "n7"}, "dossier.reference-unresolved", "/notes/0/replyTo"),
        ({"author": "m99"}, "dossier.reference-unresolved", "/notes/0/author"),
        ({"kind": "NOTE"}, "dossier.schema", "/notes/0/kind"),
        (
            {"files": [{"mimeType": "image/png", "data": "iVBORw"}]},
            "dossier.attachment-base64",
            "/notes/0/files/0/data",
        ),
    ],
)
def test_a_note_at_fault_is_refused_at_its_place(change, rule, place):
    body = dump(golden(notes=[{**NOTE, **change}]))
    parsed = parse(body)
    assert (rule, place) in {(one.rule, one.expression) for one in parsed.issues}
    assert parsed.refused == {("notes", "n1")}
    assert parsed.dossier.section("notes") == ()
