"""The language of searches at the HTTP door: what is found, refused by name, told again."""

import pytest

pytestmark = pytest.mark.anyio


def ids(answer):
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return [each["resource"]["id"] for each in entries if each["search"]["mode"] == "match"]


def self_link(answer):
    return answer.json()["link"][0]["url"]


async def people(served):
    names = {
        "a": {"family": "Thibaud", "given": ["Jean-Pierre"]},
        "b": {"family": "Le Gall", "given": ["Zoé"]},
        "c": {"family": "LEFEBVRE", "given": ["Geoffroy", "Luc"]},
    }
    for id, name in names.items():
        await served.kept({"resourceType": "Patient", "id": id, "name": [name]})


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("phonetic=TIBO", ["a"]),
        ("phonetic=thibault,Legal", ["a", "b"]),
        ("phonetic=le gal", ["b"]),
        ("phonetic=jofroi lefèvre", ["c"]),
        ("phonetic=jofroi thibault", []),
        ("phonetic=Jeanpierre", ["a"]),
        ("phonetic:missing=true", []),
        ('_filter=phonetic eq "lefevre" and not (phonetic eq jean)', ["c"]),
        ("_filter=phonetic pr false", []),
    ],
)
async def test_names_are_found_as_they_sound(served, asked, found):
    await people(served)
    answer = await served.ask("GET", f"/fhir/Patient?{asked}")
    assert ids(answer) == found
    assert asked.split("=")[0].replace(":", "%3A") + "=" in self_link(answer)


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ("phonetic:exact=x", "search.modifier-not-supported"),
        ("phonetic=...", "search.value-invalid"),
        ("_sort=phonetic", "search.sort-not-supported"),
        ("_filter=phonetic co x", "search.filter-operator"),
        ("_contained=true", "search.contained-not-searched"),
        ("_contained=both", "search.contained-not-searched"),
        ("_contained=x", "search.value-invalid"),
        ("_containedType=contained", "search.contained-not-searched"),
        ("_query=current-high-risk", "search.no-named-query"),
        ("_list=$current-allergies", "search.list-functional"),
        ("_list=a b", "search.list-invalid"),
        ("_sort=organization.name", "search.sort-chained"),
        ("_sort=_score", "search.sort-not-supported"),
        ("_score=1", "search.parameter-not-supported"),
        ("_summary=text&_include=Patient:organization", "answer.summary-text-and-include"),
    ],
)
async def test_what_is_known_and_not_served_is_refused_by_name(served, rules, asked, rule):
    answer = await served.ask("GET", f"/fhir/Patient?{asked}")
    assert (answer.status_code, rules(answer)) == (400, [rule])


async def test_what_is_asked_by_default_is_taken(served):
    await people(served)
    answer = await served.ask("GET", "/fhir/Patient?_contained=false&_containedType=container")
    assert ids(answer) == ["a", "b", "c"]
    counted = await served.ask(
        "GET", "/fhir/Patient?_summary=count&_include=Patient:organization&_total=estimate"
    )
    assert counted.json()["total"] == 3
    assert "entry" not in counted.json()


@pytest.mark.parametrize("name", ["DUPONT Jean", "né le 3 mai", "a" * 65, "name:DUPONT é", ""])
async def test_what_is_no_name_of_a_parameter_is_told_by_its_place(served, name):
    asked = {"_count": "1", name: "x"}
    answer = await served.client.get(
        "/fhir/Patient", params=asked, headers={"prefer": "handling=strict"}
    )
    assert answer.status_code == 400
    (fault,) = answer.json()["issue"]
    assert "#2" in fault["details"]["text"]
    assert "expression" not in fault
    assert not name or name not in answer.text


async def test_a_name_that_looks_like_one_is_told(served, rules):
    answer = await served.ask(
        "GET", "/fhir/Patient?family-name=x", headers={"prefer": "handling=strict"}
    )
    assert rules(answer) == ["search.unknown-parameter"]
    assert "family-name" in answer.text


async def test_a_hierarchy_is_searched(served):
    for id, above in (("a", None), ("b", "a"), ("c", "b")):
        part = {"partOf": {"reference": f"Location/{above}"}} if above else {}
        await served.kept({"resourceType": "Location", "id": id, **part})
    procedure = {"resourceType": "Procedure", "id": "p", "status": "completed"}
    await served.kept({"resourceType": "Patient", "id": "x"})
    where = {"subject": {"reference": "Patient/x"}, "location": {"reference": "Location/c"}}
    await served.kept({**procedure, **where})
    answer = await served.ask("GET", "/fhir/Location?partof:below=a")
    assert ids(answer) == ["b", "c"]
    assert "partof%3Abelow=a" in self_link(answer)
    assert ids(await served.ask("GET", "/fhir/Location?partof:above=b")) == ["b", "c"]
    assert ids(await served.ask("GET", "/fhir/Procedure?location:below=Location/a")) == ["p"]
    assert ids(
        await served.ask("GET", "/fhir/Patient?_has:Procedure:patient:location:below=a")
    ) == ["x"]


async def test_an_identifier_alone_leads_to_who_has_it(served):
    known = {"system": "urn:s", "value": "7"}
    await served.kept({"resourceType": "Patient", "id": "x", "identifier": [known]})
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "pouls"}}
    for id, subject in {
        "typed": {"type": "Patient", "identifier": known},
        "bare": {"identifier": known},
        "group": {"type": "Group", "identifier": {"system": "urn:g", "value": "7"}},
        "other": {"identifier": {"system": "urn:s", "value": "8"}},
    }.items():
        await served.kept({**observation, "id": id, "subject": subject})

    async def found(asked):
        return ids(await served.ask("GET", f"/fhir/{asked}"))

    assert await found("Observation?patient.identifier=urn:s%7C7") == ["typed", "bare"]
    assert await found("Observation?subject.identifier=urn:s%7C7") == ["typed", "bare"]
    assert await found("Observation?subject:Patient._id=x") == ["typed", "bare"]
    assert await found("Observation?patient:identifier=urn:s%7C7") == ["typed", "bare"]
    assert await found("Observation?patient:missing=true") == ["group"]
    assert await found("Patient?_has:Observation:patient:status=final") == ["x"]
    # What a reference says literally is another question.
    assert await found("Observation?patient=x") == []


async def marked(served):
    values = ("a,b", "a|b", "a$b", "a\\b", "a+b", "a b", "a", "b")
    for number, value in enumerate(values):
        identifier = [{"system": "urn:m", "value": value}]
        names = [{"family": "Le Gall", "given": ["Zoé"]}] if number < 2 else []
        await served.kept(
            {"resourceType": "Patient", "id": str(number), "identifier": identifier, "name": names}
            if names
            else {"resourceType": "Patient", "id": str(number), "identifier": identifier}
        )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("identifier=a%5C,b", ["0"]),
        ("identifier=a%5C%7Cb", ["1"]),
        ("identifier=urn:m%7Ca%5C%7Cb", ["1"]),
        ("identifier=a%5C$b", ["2"]),
        ("identifier=a%5C%5Cb", ["3"]),
        ("identifier=a%2Bb", ["4"]),
        ("identifier=a+b", ["5"]),
        ("identifier=a%20b", ["5"]),
        ("identifier=a,b", ["6", "7"]),
        ("identifier=a&identifier=b", []),
        ("identifier=a&identifier=a,b", ["6"]),
        ("family=le+gall&given=zoe", ["0", "1"]),
        ("family=le%20gall&identifier=a%5C,b,a%5C%7Cb", ["0", "1"]),
        ("_lastUpdated=gt2000-01-01T00:00:00+01:00&_sort=-_id&_count=1", ["7"]),
        ("identifier=", list("01234567")),
    ],
)
async def test_marks_and_blanks_are_read_by_get_and_by_post(served, query, found):
    await marked(served)
    form = {"content-type": "application/x-www-form-urlencoded"}
    by_get = await served.ask("GET", f"/fhir/Patient?{query}")
    by_post = await served.ask("POST", "/fhir/Patient/_search", query.encode(), form)
    assert ids(by_get) == found
    assert by_post.json() == by_get.json()
    first, _, rest = query.partition("&")
    mixed = await served.ask("POST", f"/fhir/Patient/_search?{first}", rest.encode(), form)
    assert mixed.json() == by_get.json()


MANY = ",".join(map(str, range(10_000)))


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        (f"identifier={MANY}", "search.too-many-values"),
        (f"family={MANY}", "search.too-many-values"),
        (f"phonetic={MANY}", "search.too-many-values"),
        ("link:Patient." * 200 + "_id=1", "search.chain-too-deep"),
        ("_has:Patient:link:" * 200 + "_id=1", "search.chain-too-deep"),
        ("&".join(["family=a"] * 200), "search.too-many-clauses"),
        ("_sort=family&_sort=given", "search.repeated"),
        ("_sort=" + ",".join(["family"] * 20), "search.sort-not-supported"),
        ("family=" + "a" * 5_000, "search.value-too-long"),
        ("family=a,,b", "search.value-invalid"),
        ("identifier=a%5Cb", "search.value-invalid"),
    ],
)
async def test_a_search_has_bounds_and_says_which(served, rules, query, rule):
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await served.ask("POST", "/fhir/Patient/_search", query.encode(), form)
    assert (answer.status_code, rules(answer)) == (400, [rule])
