"""Search parameters that an administrator adds: refused until old data is indexed, then found."""

import pytest

from passerelle.dossiers import parameter_indexing
from passerelle.dossiers.worker import Worker
from passerelle.fhir.search.registry import Registry

pytestmark = pytest.mark.anyio

BIRTHPLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
INSEE = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code"
SYSTEM = "https://mos.esante.gouv.fr/NOS/TRE_R13-Commune/FHIR/TRE-R13-Commune"
PARAMETER = {
    "resourceType": "SearchParameter",
    "id": "birthplace-insee",
    "url": "https://exemple.fr/SearchParameter/birthplace-insee",
    "name": "BirthplaceInsee",
    "status": "active",
    "description": "Code INSEE de la commune de naissance",
    "code": "birthplace-insee",
    "base": ["Patient"],
    "type": "token",
    "expression": f"Patient.extension.where(url = '{BIRTHPLACE}').value.extension"
    f".where(url = '{INSEE}').value",
}

STANDARD_BUT_STAMPED = Registry(0)


def born_in(id_, code):
    coding = {"system": SYSTEM, "code": code}
    address = {"extension": [{"url": INSEE, "valueCoding": coding}]}
    return {
        "resourceType": "Patient",
        "id": id_,
        "extension": [{"url": BIRTHPLACE, "valueAddress": address}],
    }


def worker_of(gateway):
    handlers = {parameter_indexing.JOB_KIND: parameter_indexing.index_some}
    return Worker(gateway, handlers, holder="test")


async def work(served):
    while await worker_of(served.gateway).step():
        pass


async def found(served, criteria, type_="Patient"):
    answer = await served.ask("GET", f"/fhir/{type_}?{criteria}")
    assert answer.status_code == 200, answer.text
    return sorted(entry["resource"]["id"] for entry in answer.json().get("entry", ()))


async def test_old_and_new_data_are_found_once_the_worker_has_indexed(served, rules):
    for id_, code in (("old-1", "75056"), ("old-2", "13055")):
        await served.kept(born_in(id_, code))
    unknown = await served.ask(
        "GET", "/fhir/Patient?birthplace-insee=75056", headers={"prefer": "handling=strict"}
    )
    assert rules(unknown) == ["search.unknown-parameter"]
    await served.kept(PARAMETER)
    await served.kept(born_in("new", "75056"))
    early = await served.ask("GET", "/fhir/Patient?birthplace-insee=75056")
    assert early.status_code == 400
    assert rules(early) == ["search.parameter-not-ready"]
    assert "0 %" in early.text
    await work(served)
    assert await found(served, "birthplace-insee=75056") == ["new", "old-1"]
    assert await found(served, f"birthplace-insee={SYSTEM}%7C13055") == ["old-2"]
    await served.kept(born_in("old-2", "75056"))
    assert await found(served, "birthplace-insee=75056") == ["new", "old-1", "old-2"]
    assert await found(served, "birthplace-insee:missing=true") == []
    statement = (await served.ask("GET", "/fhir/metadata")).json()
    (patient,) = [each for each in statement["rest"][0]["resource"] if each["type"] == "Patient"]
    assert {
        "name": "birthplace-insee",
        "definition": PARAMETER["url"],
        "type": "token",
    } in patient["searchParam"]


async def test_what_cannot_be_one_is_refused_with_its_reason(served, rules):
    for change, rule in (
        ({"expression": "Patient.nothing"}, "parameter.expression-not-understood"),
        ({"code": "name"}, "parameter.code-taken"),
        ({"type": "special"}, "parameter.kind-not-supported"),
        ({"code": "_x"}, "parameter.code-not-usable"),
    ):
        answer = await served.ask(
            "PUT", "/fhir/SearchParameter/x", PARAMETER | {"id": "x"} | change
        )
        assert (answer.status_code, rules(answer)) == (422, [rule])
    await served.kept(PARAMETER)
    other = PARAMETER | {"id": "x", "url": "https://exemple.fr/SearchParameter/other"}
    answer = await served.ask("PUT", "/fhir/SearchParameter/x", other)
    assert (answer.status_code, rules(answer)) == (422, ["parameter.code-taken"])


@pytest.mark.parametrize("ending", ["retired", "deleted"])
async def test_one_that_ends_is_not_asked_for_any_more_and_its_rows_are_cleared(
    served, rules, ending
):
    await served.kept(born_in("p", "75056"))
    await served.kept(PARAMETER)
    await work(served)
    assert await found(served, "birthplace-insee=75056") == ["p"]
    if ending == "retired":
        await served.kept(PARAMETER | {"status": "retired"})
    else:
        await served.ask("DELETE", "/fhir/SearchParameter/birthplace-insee")
    strict = {"prefer": "handling=strict"}
    answer = await served.ask("GET", "/fhir/Patient?birthplace-insee=75056", headers=strict)
    assert rules(answer) == ["search.unknown-parameter"]
    await work(served)
    (row,) = await served.gateway.store.parameters.rows()
    assert row.state == "gone"
    await served.kept(PARAMETER)
    await work(served)
    assert await found(served, "birthplace-insee=75056") == ["p"]
    numbers = [row.number for row in await served.gateway.store.parameters.rows()]
    assert numbers == [1, 2]


async def test_a_definition_that_changes_is_indexed_anew(served):
    await served.kept(born_in("p", "75056") | {"language": "fr"})
    await served.kept(PARAMETER)
    await work(served)
    await served.kept(PARAMETER | {"expression": "Patient.language"})
    await work(served)
    assert await found(served, "birthplace-insee=fr") == ["p"]
    assert await found(served, "birthplace-insee=75056") == []


async def test_a_write_decided_on_other_parameters_is_decided_anew(served):
    store = served.gateway.store
    await served.kept(PARAMETER)
    fresh = store.parameters.registry
    await work(served)
    # Another process that has not heard of it yet.
    store.parameters.registry = STANDARD_BUT_STAMPED
    await served.kept(born_in("late", "75056"))
    assert store.parameters.registry.stamp > fresh.stamp
    assert await found(served, "birthplace-insee=75056") == ["late"]
    store.parameters.registry = STANDARD_BUT_STAMPED
    patient = born_in("x", "75056")
    del patient["id"]
    answer = await served.ask("POST", "/fhir/Patient", patient)
    assert answer.status_code == 201
    assert len(await found(served, "birthplace-insee=75056")) == 2
