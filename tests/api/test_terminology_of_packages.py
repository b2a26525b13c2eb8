"""Every terminology resource of the real packages, asked in every way over HTTP: nothing fails, and
each value set comes to what a plain evaluation of its own comes to."""

import json
import sqlite3
from collections import Counter
from urllib.parse import urlencode

import pytest

from passerelle.dossiers import packages
from passerelle.fhir import json_text
from tests.terminology_oracle import Oracle, walk

pytestmark = pytest.mark.anyio

FAST = ("ans.fhir.fr.cds-2.0.1.tgz", "hl7.fhir.fr.core-2.2.0.tgz")
TYPES = ("CodeSystem", "ConceptMap", "ValueSet")
ANSWERS = {200, 404, 422}


@pytest.fixture
def database_url(sqlite_database_url):
    """What is asked here does not depend on the database."""
    return sqlite_database_url


async def installed(served, shared, names):
    folder = shared / "data" / "packages"
    for name in names or sorted(file.name for file in folder.glob("*.tgz")):
        await packages.add(served.gateway, (folder / name).read_bytes())


def kept(database_url):
    """Give every terminology resource of the record with its id there."""
    sql = (
        "SELECT id, body FROM resource JOIN version ON version.seq = resource.seq "
        "WHERE resource.type IN (?, ?, ?) AND NOT deleted ORDER BY resource.pid"
    )
    connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    try:
        return [(id_, json_text.decode(body)) for id_, body in connection.execute(sql, TYPES)]
    finally:
        connection.close()


class Asking:
    """Asks operations by GET and by POST, of the type and of the instance, in JSON and in XML."""

    def __init__(self, served):
        self.served = served
        self.counts = Counter()

    async def every_way(self, type_, id_, operation, named, **values):
        """Give the first answer, having seen that all ways answer alike."""
        here = f"/fhir/{type_}/{id_}/${operation}"
        typed = f"/fhir/{type_}/${operation}"
        xml = {"accept": "application/fhir+xml"}
        asked = f"{typed}?{spelled(named | values)}"
        answers = [
            await self.served.ask("GET", asked),
            await self.served.ask("POST", typed, parameters(named | values)),
            await self.served.ask("GET", asked, headers=xml),
        ]
        if operation != "expand" or len(values) > 1:
            answers.append(await self.served.ask("GET", f"{here}?{spelled(values)}"))
            answers.append(await self.served.ask("POST", here, parameters(values)))
        for answer in answers:
            self.counts[operation, answer.status_code] += 1
            assert answer.status_code in ANSWERS, (operation, named, answer.text)
        assert len({answer.status_code for answer in answers[:3]}) == 1, (operation, named)
        return answers[0]


def spelled(values):
    return urlencode({name: "true" if each is True else each for name, each in values.items()})


def parameters(values):
    kinds = {bool: "Boolean", int: "Integer"}
    listed = [
        {"name": name, f"value{kinds.get(type(value), 'String')}": value}
        for name, value in values.items()
    ]
    return {"resourceType": "Parameters", "parameter": listed}


def canonical(resource, version="version"):
    said = {"url": resource["url"]}
    return said | ({version: resource["version"]} if "version" in resource else {})


async def value_set(asking, id_, resource, oracle):
    """Expand it whole and by pages, validate a code of it; give whether the oracle agrees."""
    named = canonical(resource, "valueSetVersion")
    answer = await asking.every_way("ValueSet", id_, "expand", named, count=5, filter="a")
    whole = await asking.served.ask("GET", f"/fhir/ValueSet/$expand?{urlencode(named)}")
    assert whole.status_code == answer.status_code, named
    expected = oracle.members(resource)
    if whole.status_code != 200:
        await asking.every_way("ValueSet", id_, "validate-code", named, system="urn:a", code="x")
        return "refused" if expected is None else f"refused, and the oracle has {len(expected)}"
    expansion = whole.json()["expansion"]
    listed = [(each["system"], each["code"]) for each in expansion.get("contains", ())]
    assert expansion["total"] == len(listed) == len(set(listed)), named
    last = {"offset": max(len(listed) - 3, 0), "count": 3}
    page = await asking.served.ask("GET", f"/fhir/ValueSet/$expand?{urlencode(named | last)}")
    told = [(each["system"], each["code"]) for each in page.json()["expansion"].get("contains", ())]
    assert told == listed[last["offset"] :]
    if listed:
        system, code = listed[-1]
        coded = {"system": system, "code": code}
        found = await asking.every_way("ValueSet", id_, "validate-code", named, **coded)
        over = '"inactive"' in found.text
        assert found.json()["parameter"][0]["valueBoolean"] or over, found.text
        wrong = coded | {"code": "-pas-un-code-"}
        found = await asking.every_way("ValueSet", id_, "validate-code", named, **wrong)
        assert found.json()["parameter"][0]["valueBoolean"] is False
    if expected is None:
        return "published"
    # Itself: a guide may publish again, otherwise, what stands in another under one version.
    own = await asking.served.ask("GET", f"/fhir/ValueSet/{id_}/$expand")
    contained = own.json()["expansion"].get("contains", ())
    differ = expected - abstract(oracle, expected) ^ {
        (each["system"], each["code"]) for each in contained
    }
    return "same" if not differ else f"differs: {resource['url']} {sorted(differ)[:3]}"


def abstract(oracle, codes):
    """Give the codes that only group others: they are in no flat list."""
    found = set()
    for system in {system for system, _ in codes}:
        resource = oracle._system(system) or {}
        for each, _ in walk(resource.get("concept", ())):
            marks = {
                mark["code"]
                for mark in each.get("property", ())
                if mark.get("valueBoolean") is True
            }
            if marks & {"notSelectable", "abstract"}:
                found.add((system, each["code"]))
    return found


async def code_system(asking, id_, resource):
    named = canonical(resource)
    system = {"system": resource["url"]} | {k: v for k, v in named.items() if k == "version"}
    codes = [each["code"] for each, _ in walk(resource.get("concept", ()))]
    for code in ([codes[0], codes[-1]] if codes else []) + ["-pas-un-code-"]:
        await asking.every_way("CodeSystem", id_, "lookup", system, code=code)
        await asking.every_way("CodeSystem", id_, "validate-code", named, code=code)
    if codes:
        pair = {"codeA": codes[0], "codeB": codes[-1]}
        await asking.every_way("CodeSystem", id_, "subsumes", system, **pair)


async def concept_map(asking, id_, resource):
    named = canonical(resource, "conceptMapVersion")
    for group in resource.get("group", ())[:3]:
        for element in group.get("element", ())[:2]:
            if "code" not in element:
                continue
            coded = {"code": element["code"], "system": group.get("source", "urn:a")}
            found = await asking.every_way("ConceptMap", id_, "translate", named, **coded)
            targets = [each for each in element.get("target", ()) if "dependsOn" not in each]
            matched = [each["equivalence"] for each in targets if "code" in each]
            expected = any(each not in ("unmatched", "disjoint") for each in matched)
            said = found.json()["parameter"][0]["valueBoolean"]
            assert said or not expected, (named, coded)
            for target in targets[:1]:
                if "code" in target:
                    back = {"code": target["code"], "system": group.get("target", "urn:a")}
                    await asking.every_way(
                        "ConceptMap", id_, "translate", named, reverse=True, **back
                    )


async def asked(served, database_url):
    """Ask of every terminology resource; give the counts of answers and of comparisons."""
    resources = kept(database_url)
    oracle, asking, compared = Oracle([each for _, each in resources]), Asking(served), Counter()
    for id_, resource in resources:
        if resource["resourceType"] == "ValueSet":
            compared[await value_set(asking, id_, resource, oracle)] += 1
        elif resource["resourceType"] == "CodeSystem":
            await code_system(asking, id_, resource)
        else:
            await concept_map(asking, id_, resource)
    return asking.counts, compared


async def test_every_french_code_system_value_set_and_map_is_answered(served, shared, database_url):
    await installed(served, shared, FAST)
    counts, compared = await asked(served, database_url)
    assert compared["same"] >= 15, compared
    assert set(compared) <= {"same", "published", "refused"}, compared
    assert sum(counts.values()) > 500


@pytest.mark.nightly
async def test_everything_of_every_package_is_answered(served, shared, database_url):
    await installed(served, shared, ())
    counts, compared = await asked(served, database_url)
    print(json.dumps({f"{name} {status}": count for (name, status), count in counts.items()}))
    print(dict(compared))
    assert compared["same"] >= 1_400
    assert set(compared) <= {"same", "published", "refused"}
