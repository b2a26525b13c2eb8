"""Search parameters that an administrator adds: refused until old data is indexed, then found."""

import asyncio

import pytest

from passerelle.dossiers import parameter_indexing
from passerelle.dossiers.worker import Worker
from passerelle.fhir.search.registry import Registry
from passerelle.store import parameter_steps

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
    served, rules, ending, monkeypatch
):
    monkeypatch.setattr(parameter_steps, "REST_MICROSECONDS", 0)
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


def status_of(parameters):
    """Give what a $status says, by code."""
    told = [
        {part["name"]: next(v for k, v in part.items() if k != "name") for part in each["part"]}
        for each in parameters.get("parameter", ())
    ]
    return {each["code"]: each for each in told}


async def test_a_search_before_old_data_is_indexed_is_refused_and_the_status_says_how_far_it_is(
    served, rules
):
    for number in range(30):
        await served.kept(born_in(f"p{number}", "75056"))
    await served.kept(PARAMETER)
    parameters = served.gateway.store.parameters
    await parameters.settle()
    assert await parameters.step(10)
    asked = "birthplace-insee=75056"
    for headers in ({"prefer": "handling=strict"}, {"prefer": "handling=lenient"}, {}):
        for address in (
            f"/fhir/Patient?{asked}",
            f"/fhir/Observation?subject:Patient.{asked}",
            "/fhir/Patient?_sort=birthplace-insee",
            "/fhir/Patient?_filter=birthplace-insee eq 75056",
        ):
            answer = await served.ask("GET", address, headers=headers)
            assert (answer.status_code, rules(answer)) == (400, ["search.parameter-not-ready"])
            assert "33" in answer.json()["issue"][0]["details"]["text"]
    for place in ("", "/birthplace-insee"):
        answer = await served.ask("GET", f"/fhir/SearchParameter{place}/$status")
        told = status_of(answer.json())["birthplace-insee"]
        assert (told["status"], told["percent"], told["done"], told["total"]) == (
            *("indexing", 33, 10),
            30,
        )
    missing = await served.ask("GET", "/fhir/SearchParameter/other/$status")
    assert (missing.status_code, rules(missing)) == (404, ["parameter.unknown"])
    await work(served)
    answer = await served.ask("GET", "/fhir/SearchParameter/$status")
    told = status_of(answer.json())["birthplace-insee"]
    assert (told["status"], told["percent"]) == ("ready", 100)
    assert len(await found(served, asked)) == 30


async def test_chains_orders_and_inclusions_take_what_was_added(served):
    await served.kept(born_in("a", "75056"))
    await served.kept(born_in("b", "13055"))
    for id_, patient in (("oa", "a"), ("ob", "b")):
        await served.kept(
            {
                "resourceType": "Observation",
                "id": id_,
                "status": "final",
                "code": {"text": "taille"},
                "subject": {"reference": f"Patient/{patient}"},
            }
        )
    await served.kept(PARAMETER)
    about = {
        "resourceType": "SearchParameter",
        "status": "active",
        "name": "About",
        "description": "De qui",
        "base": ["Observation"],
    }
    url = "https://exemple.fr/SearchParameter/"
    who = {"id": "who", "url": url + "who", "code": "who", "type": "reference"}
    target = {"expression": "Observation.subject", "target": ["Patient"]}
    await served.kept(about | who | target)
    what = {"id": "what", "url": url + "what", "code": "what", "type": "string"}
    await served.kept(about | what | {"expression": "Observation.code.text"})
    await work(served)
    of_type = "Observation"
    assert await found(served, "subject:Patient.birthplace-insee=13055", of_type) == ["ob"]
    assert await found(served, "who:Patient.birthplace-insee=13055", of_type) == ["ob"]
    assert await found(served, "what=TAI&who=Patient/a", of_type) == ["oa"]
    assert await found(served, "_has:Observation:who:what=taille&birthplace-insee=75056") == ["a"]
    assert await found(served, "_filter=birthplace-insee eq 75056") == ["a"]
    assert await found(served, "_include=Observation:who&_id=oa", of_type) == ["a", "oa"]
    assert await found(served, "_revinclude=Observation:who&_id=b") == ["b", "ob"]
    answer = await served.ask("GET", "/fhir/Patient?_sort=birthplace-insee")
    assert [each["resource"]["id"] for each in answer.json()["entry"]] == ["b", "a"]
    described = await served.ask("GET", "/openapi.json?type=Patient")
    searching = described.json()["paths"]["/fhir/Patient"]["get"]
    names = {each.get("name") for each in searching["parameters"]}
    assert "birthplace-insee" in names


async def test_what_would_cost_too_much_is_refused(served, rules):
    url = {"url": "https://exemple.fr/SearchParameter/costly", "id": "costly", "code": "costly"}
    within = "Patient.extension.where(" * 3 + "%resource.extension.exists()" + ")" * 3
    for expression, rule in (
        ("Patient." + "extension." * 15_000 + "url", "parameter.expression-too-long"),
        ("Patient." + "extension." * 300 + "url", "parameter.expression-too-long"),
        ("Patient." + "(" * 1_500 + "name" + ")" * 1_500, "parameter.expression-not-understood"),
        ("Patient.where(" * 400, "parameter.expression-too-long"),
        (within, "parameter.expression-not-understood"),
        ("Patient.name.repeat(given)", "parameter.expression-not-understood"),
    ):
        answer = await served.ask(
            "PUT", "/fhir/SearchParameter/costly", PARAMETER | url | {"expression": expression}
        )
        assert (answer.status_code, rules(answer)) == (422, [rule]), expression[:80]


async def test_of_many_that_claim_one_code_at_once_one_is_taken(served, rules):
    def named(number):
        url = f"https://exemple.fr/SearchParameter/n{number}"
        return PARAMETER | {"id": f"n{number}", "url": url}

    answers = await asyncio.gather(
        *(
            served.ask("PUT", f"/fhir/SearchParameter/n{number}", named(number))
            for number in range(8)
        )
    )
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(refused) == 7
    assert {answer.status_code for answer in refused} <= {409, 422}
    assert {rule for answer in refused for rule in rules(answer)} == {"parameter.code-taken"}


async def test_one_that_is_deleted_while_it_is_indexed_leaves_nothing(served, rules, monkeypatch):
    monkeypatch.setattr(parameter_steps, "REST_MICROSECONDS", 0)
    for number in range(20):
        await served.kept(born_in(f"p{number}", "75056"))
    await served.kept(PARAMETER)
    parameters = served.gateway.store.parameters
    assert await parameters.step(5)
    await served.ask("DELETE", "/fhir/SearchParameter/birthplace-insee")
    await served.kept(born_in("late", "75056"))
    await work(served)
    assert [row.state for row in await parameters.rows()] == ["gone"]
    assert status_of((await served.ask("GET", "/fhir/SearchParameter/$status")).json()) == {}
    await served.kept(PARAMETER)
    await work(served)
    assert len(await found(served, "birthplace-insee=75056")) == 21


async def test_another_process_that_has_not_heard_of_it_answers_as_those_that_have(served, rules):
    store = served.gateway.store
    await served.kept(born_in("p", "75056"))
    await served.kept(PARAMETER)
    store.parameters.registry = STANDARD_BUT_STAMPED
    answer = await served.ask("GET", "/fhir/Patient?birthplace-insee=75056")
    assert rules(answer) == ["search.parameter-not-ready"]
    await work(served)
    ready = store.parameters.registry
    await served.ask("DELETE", "/fhir/SearchParameter/birthplace-insee")
    store.parameters.registry = ready
    strict = {"prefer": "handling=strict"}
    answer = await served.ask("GET", "/fhir/Patient?birthplace-insee=75056", headers=strict)
    assert rules(answer) == ["search.unknown-parameter"]
