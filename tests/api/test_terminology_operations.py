"""The terminology operations over HTTP."""

from urllib.parse import quote, urlencode

import pytest

from passerelle.dossiers import packages
from passerelle.fhir.packages.package_reading import read_package
from tests.made_packages import (
    ALL,
    COLOURS,
    MAP,
    OLD_COLOURS,
    WARM,
    code_system,
    colours,
    concept_map,
    value_set,
    warm_colours,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


@pytest.fixture
async def server(served):
    await packages.add(served.gateway, colours())
    return served


def parameters(*parts, **values):
    """Make Parameters: ``code=("Code", "x")`` is a valueCode."""
    made = [{"name": name, f"value{kind}": value} for name, (kind, value) in values.items()]
    return {"resourceType": "Parameters", "parameter": [*parts, *made]}


def said(answer):
    assert answer.status_code == 200, answer.text
    listed = answer.json()["parameter"]
    return {
        each["name"]: next((value for key, value in each.items() if key != "name"), None)
        for each in listed
    }


def codes(answer):
    assert answer.status_code == 200, answer.text
    return [each["code"] for each in answer.json()["expansion"].get("contains", ())]


async def get(server, address, **values):
    return await server.ask("GET", f"/fhir/{address}?{urlencode(values)}")


async def post(server, address, body):
    return await server.ask("POST", f"/fhir/{address}", body)


def id_of(type_, url):
    found = read_package(colours()).resources
    return next(e.key.id for e in found if e.key.type == type_ and e.resource["url"] == url)


async def test_expand_by_url_by_instance_and_by_value(server):
    warm = ["rouge", "carmin", "orange"]
    assert codes(await get(server, "ValueSet/$expand", url=WARM)) == warm
    assert codes(await get(server, f"ValueSet/{id_of('ValueSet', WARM)}/$expand")) == warm
    body = parameters({"name": "valueSet", "resource": warm_colours()})
    assert codes(await post(server, "ValueSet/$expand", body)) == warm
    page = await get(server, "ValueSet/$expand", url=ALL, offset=1, count=1, displayLanguage="en")
    assert codes(page) == ["carmin"]
    assert page.json()["expansion"]["total"] == 5
    assert codes(await get(server, "ValueSet/$expand", url=ALL, filter="car")) == ["carmin"]
    active = await get(server, "ValueSet/$expand", url=ALL, activeOnly="true")
    assert "garance" not in codes(active)


async def test_an_expanded_value_set_is_a_resource_without_fault(server):
    made = (await get(server, "ValueSet/$expand", url=ALL, includeDesignations="true")).json()
    again = await server.ask("POST", "/fhir/ValueSet", made)
    assert again.status_code == 201, again.text


async def test_the_language_of_the_request_is_that_of_displays(server):
    headers = {"Accept-Language": "en"}
    answer = await server.ask("GET", f"/fhir/ValueSet/$expand?url={ALL}&filter=bleu", None, headers)
    assert answer.json()["expansion"]["contains"][0]["display"] == "Blue"


async def test_validate_a_code_in_a_value_set(server):
    address = "ValueSet/$validate-code"
    yes = said(await get(server, address, url=WARM, system=COLOURS, code="rouge"))
    assert (yes["result"], yes["display"]) == (True, "Rouge")
    no = said(await get(server, address, url=WARM, system=COLOURS, code="bleu"))
    assert no["result"] is False
    assert WARM in no["message"]
    coding = {"system": COLOURS, "code": "rouge", "display": "Vert"}
    wrong = parameters(url=("Uri", WARM), coding=("Coding", coding))
    assert said(await post(server, address, wrong))["result"] is False
    concept = {
        "coding": [{"system": COLOURS, "code": "bleu"}, {"system": COLOURS, "code": "rouge"}]
    }
    of_several = parameters(codeableConcept=("CodeableConcept", concept))
    instance = f"ValueSet/{id_of('ValueSet', WARM)}/$validate-code"
    assert said(await post(server, instance, of_several))["result"] is True


async def test_an_ended_code_says_its_end_and_its_replacement(server):
    address = "CodeSystem/$validate-code"
    found = said(await get(server, address, url=COLOURS, code="garance"))
    assert found["result"] is True
    assert found["inactive"] is True
    assert found["ended"] == "2020-05-29T12:00:00+02:00"
    assert found["replacement"] == {"system": COLOURS, "code": "rouge"}
    assert "2020-05-29" in found["message"]
    then = said(await get(server, address, url=COLOURS, code="garance", date="2019-01-01"))
    assert "inactive" not in then
    assert "message" not in then
    in_use = await get(
        server,
        "ValueSet/$validate-code",
        url=ALL,
        system=COLOURS,
        code="garance",
        activeOnly="true",
    )
    assert said(in_use)["result"] is False


async def test_validate_a_code_in_a_code_system(server):
    address = "CodeSystem/$validate-code"
    assert said(await get(server, address, url=COLOURS, code="BLEU"))["code"] == "bleu"
    assert said(await get(server, address, url=COLOURS, code="vert"))["result"] is False
    coding = parameters(coding=("Coding", {"system": COLOURS, "code": "bleu"}))
    assert said(await post(server, address, coding))["result"] is True
    other = parameters(url=("Uri", COLOURS), coding=("Coding", {"system": "urn:a", "code": "bleu"}))
    assert said(await post(server, address, other))["result"] is False
    handed = {"name": "codeSystem", "resource": code_system()}
    assert said(await post(server, address, parameters(handed, code=("Code", "bleu"))))["result"]


async def test_look_up_a_code(server):
    found = said(await get(server, "CodeSystem/$lookup", system=COLOURS, code="rouge"))
    assert (found["name"], found["version"], found["display"]) == ("Couleurs", "1.0.0", "Rouge")
    coding = parameters(coding=("Coding", {"system": COLOURS, "code": "bleu"}))
    assert said(await post(server, "CodeSystem/$lookup", coding))["display"] == "Bleu"
    instance = f"CodeSystem/{id_of('CodeSystem', COLOURS)}/$lookup"
    assert said(await get(server, instance, code="bleu"))["display"] == "Bleu"
    absent = await get(server, "CodeSystem/$lookup", system=COLOURS, code="vert")
    assert absent.status_code == 404


async def test_one_code_subsumes_another(server):
    address = "CodeSystem/$subsumes"
    found = await get(server, address, system=COLOURS, codeA="chaude", codeB="carmin")
    assert said(found) == {"outcome": "subsumes"}
    one, other = ({"system": COLOURS, "code": code} for code in ("carmin", "chaude"))
    body = parameters(codingA=("Coding", one), codingB=("Coding", other))
    assert said(await post(server, address, body)) == {"outcome": "subsumed-by"}
    apart = parameters(codingA=("Coding", one), codingB=("Coding", other | {"system": "urn:a"}))
    assert (await post(server, address, apart)).status_code == 400
    instance = f"CodeSystem/{id_of('CodeSystem', COLOURS)}/$subsumes"
    assert said(await get(server, instance, codeA="bleu", codeB="bleu"))["outcome"] == "equivalent"


async def test_translate_a_code(server):
    address = "ConceptMap/$translate"
    found = said(await get(server, address, url=MAP, system=COLOURS, code="rouge"))
    assert found["result"] is True
    assert found["match"][1]["valueCoding"] == {"system": OLD_COLOURS, "code": "R"}
    assert said(await get(server, address, system=COLOURS, code="rouge"))["result"] is True
    back = await get(server, address, url=MAP, system=OLD_COLOURS, code="R", reverse="true")
    assert said(back)["match"][0]["valueCode"] == "narrower"
    between = await get(server, address, source=ALL, system=COLOURS, code="rouge")
    assert said(between)["result"] is True
    instance = f"ConceptMap/{id_of('ConceptMap', MAP)}/$translate"
    assert said(await get(server, instance, system=COLOURS, code="bleu"))["result"] is False
    assert (await get(server, address, system="urn:a", code="x")).status_code == 404


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("ValueSet/$expand", "terminology.given-not"),
        (f"ValueSet/x/$expand?url={quote(ALL)}", "terminology.given-twice"),
        (f"ValueSet/$expand?url={quote(ALL)}&count=-1", "operation.input-malformed"),
        (f"ValueSet/$validate-code?url={quote(ALL)}", "terminology.given-not"),
        ("CodeSystem/$lookup?code=a", "terminology.given-not"),
        (f"CodeSystem/$lookup?system={quote(COLOURS)}", "terminology.given-not"),
        (f"CodeSystem/$subsumes?system={quote(COLOURS)}&codeA=a", "terminology.given-not"),
        ("ConceptMap/$translate?system=urn:a", "terminology.given-not"),
    ],
)
async def test_what_is_asked_wrongly_is_refused(server, rules, address, rule):
    answer = await server.ask("GET", f"/fhir/{address}")
    assert answer.status_code == 400
    assert rules(answer) == [rule]


async def test_what_is_not_there_is_not_found(server, rules):
    answer = await get(server, "ValueSet/$expand", url="urn:absent")
    assert (answer.status_code, rules(answer)) == (404, ["terminology.value-set-unknown"])
    assert (await get(server, "ValueSet/absent/$expand")).status_code == 404
    missing = value_set("urn:a/vs", {"include": [{"system": "urn:absent"}]})
    body = parameters({"name": "valueSet", "resource": missing})
    answer = await post(server, "ValueSet/$expand", body)
    assert (answer.status_code, rules(answer)) == (422, ["terminology.system-unknown"])


async def test_an_element_of_a_definition_is_expanded_by_what_it_is_bound_to(server, rules):
    definition = {
        "resourceType": "StructureDefinition",
        "id": "peinture",
        "url": "https://exemple.fr/StructureDefinition/peinture",
        "name": "Peinture",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Basic",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Basic",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Basic", "path": "Basic"},
                {
                    "id": "Basic.code",
                    "path": "Basic.code",
                    "binding": {"strength": "required", "valueSet": f"{WARM}|1.0.0"},
                },
            ]
        },
    }
    await server.kept(definition)
    at = definition["url"] + "#"
    found = await get(server, "ValueSet/$expand", context=at + "Basic.code")
    assert codes(found) == ["rouge", "carmin", "orange"]
    for context, status, rule in (
        (at + "Basic.subject", 404, "terminology.context-unknown"),
        ("urn:a#Basic.code", 404, "terminology.context-unknown"),
        ("urn:a", 400, "terminology.context-malformed"),
    ):
        answer = await get(server, "ValueSet/$expand", context=context)
        assert (answer.status_code, rules(answer)) == (status, [rule])
    both = await get(server, "ValueSet/$expand", context=at + "Basic.code", url=ALL)
    assert rules(both) == ["terminology.given-twice"]


async def test_versions_systems_and_names_are_chosen(server):
    await server.kept(code_system("0.9.0") | {"id": "avant", "concept": [{"code": "gris"}]})
    address = "ValueSet/$expand"
    older = {"system-version": f"{COLOURS}|0.9.0"}
    found = await get(server, address, url=ALL, **older)
    assert codes(found) == ["gris"]
    told = [(each["name"], each["valueUri"]) for each in found.json()["expansion"]["parameter"]]
    assert ("system-version", f"{COLOURS}|0.9.0") in told
    assert codes(await get(server, address, url=ALL, **{"exclude-system": COLOURS})) == []
    english = {"designation": "urn:ietf:bcp:47|en"}
    listed = (await get(server, address, url=ALL, **english)).json()["expansion"]["contains"]
    shown = {each["code"]: each.get("designation") for each in listed}
    assert shown["bleu"] == [{"language": "en", "value": "Blue"}]
    assert shown["orange"] is None
    absent = await get(server, address, url="urn:absent", **older)
    assert absent.status_code == 404


async def test_a_supplement_gives_names_and_properties(server):
    german = {"code": "bleu", "display": "Blau", "property": [{"code": "x", "valueString": "y"}]}
    made = {
        "resourceType": "CodeSystem",
        "id": "allemand",
        "url": "https://exemple.fr/CodeSystem/allemand",
        "status": "active",
        "content": "supplement",
        "supplements": COLOURS,
        "language": "de",
        "concept": [german],
    }
    await server.kept(made)
    found = await get(
        server, "CodeSystem/$lookup", system=COLOURS, code="bleu", displayLanguage="de"
    )
    assert said(found)["display"] == "Blau"
    assert "valueString" in found.text
    page = await get(server, "ValueSet/$expand", url=ALL, filter="blau", displayLanguage="de")
    assert page.json()["expansion"]["contains"][0]["display"] == "Blau"
    await server.kept(made | {"supplements": f"{COLOURS}|0.1"})
    gone = await get(
        server, "CodeSystem/$lookup", system=COLOURS, code="bleu", displayLanguage="de"
    )
    assert said(gone)["display"] == "Bleu"


async def test_codes_by_rule_are_judged_and_not_listed(server, rules):
    await server.kept(
        value_set("https://exemple.fr/types", {"include": [{"system": "urn:ietf:bcp:13"}]})
    )
    listed = await get(server, "ValueSet/$expand", url="https://exemple.fr/types")
    assert (listed.status_code, rules(listed)) == (422, ["terminology.by-rule"])
    assert listed.json()["issue"][0]["code"] == "too-costly"
    for code, result in (("text/plain", True), ("texte", False)):
        here = {"system": "urn:ietf:bcp:13", "code": code}
        found = await get(server, "ValueSet/$validate-code", url="https://exemple.fr/types", **here)
        assert said(found)["result"] is result
        found = await get(server, "CodeSystem/$validate-code", url="urn:ietf:bcp:13", code=code)
        assert said(found)["result"] is result
        coding = parameters(coding=("Coding", here))
        found = await post(server, "CodeSystem/$validate-code", coding)
        assert said(found)["result"] is result


async def test_translate_backwards_from_the_system_of_a_code_alone(server):
    found = await get(server, "ConceptMap/$translate", system=OLD_COLOURS, code="R", reverse="true")
    assert said(found)["match"][1]["valueCoding"]["code"] == "rouge"


async def test_what_a_translation_depends_on_is_given(server):
    depends = {"property": "urn:genre", "system": "urn:genres", "value": "f"}
    target = {"code": "R", "equivalence": "equal", "dependsOn": [depends]}
    made = concept_map(element=[{"code": "rouge", "target": [target]}])
    part = [
        {"name": "element", "valueUri": "urn:genre"},
        {
            "name": "concept",
            "valueCodeableConcept": {"coding": [{"system": "urn:genres", "code": "f"}]},
        },
    ]
    given = {"name": "dependency", "part": part}
    code = {"code": ("Code", "rouge"), "system": ("Uri", COLOURS)}
    handed = {"name": "conceptMap", "resource": made}
    for parts, result in (((handed,), False), ((handed, given), True)):
        found = await post(server, "ConceptMap/$translate", parameters(*parts, **code))
        assert said(found)["result"] is result


async def test_where_a_missing_system_may_be_had_is_told(server, rules):
    answer = await get(server, "CodeSystem/$lookup", system="http://snomed.info/sct", code="1")
    assert answer.status_code == 404
    assert rules(answer) == ["terminology.system-unknown", "terminology.no-public-package"]


async def test_a_value_set_that_was_put_is_as_good_as_one_of_a_package(server):
    mine = value_set("urn:mine", {"include": [{"system": COLOURS, "concept": [{"code": "bleu"}]}]})
    await server.kept(mine | {"id": "mine"})
    assert codes(await get(server, "ValueSet/$expand", url="urn:mine")) == ["bleu"]
    compose = {"include": [{"valueSet": [WARM]}]}
    await server.kept(mine | {"id": "mine", "compose": compose})
    expected = ["rouge", "carmin", "orange"]
    assert codes(await get(server, "ValueSet/$expand", url="urn:mine")) == expected
    await server.ask("DELETE", "/fhir/ValueSet/mine")
    assert (await get(server, "ValueSet/$expand", url="urn:mine")).status_code == 404


async def test_what_a_package_brought_is_read_and_found(server):
    address = f"/fhir/ValueSet/{id_of('ValueSet', WARM)}"
    found = (await server.ask("GET", address)).json()
    assert found["url"] == WARM
    by_url = (await server.ask("GET", f"/fhir/ValueSet?url={quote(WARM)}")).json()
    assert [each["resource"]["id"] for each in by_url["entry"]] == [found["id"]]
    tag = quote("https://passerelle.example/fhir/CodeSystem/package|exemple.couleurs#1.0.0")
    by_tag = (await server.ask("GET", f"/fhir/ValueSet?_tag={tag}")).json()
    assert len(by_tag["entry"]) == 2


async def test_searches_ask_of_value_sets_and_of_hierarchies(server):
    for id_, code in (("r", "rouge"), ("c", "carmin"), ("b", "bleu")):
        coding = {"coding": [{"system": COLOURS, "code": code}]}
        await server.kept({"resourceType": "Basic", "id": id_, "code": coding})

    async def found(**criteria):
        answer = await get(server, "Basic", **criteria)
        assert answer.status_code == 200, answer.text
        return sorted(each["resource"]["id"] for each in answer.json().get("entry", ()))

    assert await found(**{"code:in": WARM}) == ["c", "r"]
    assert await found(**{"code:not-in": WARM}) == ["b"]
    assert await found(**{"code:below": f"{COLOURS}|rouge"}) == ["c", "r"]
    assert await found(**{"code:above": f"{COLOURS}|carmin"}) == ["c", "r"]
    assert (await get(server, "Basic", **{"code:in": "urn:absent"})).status_code == 400
