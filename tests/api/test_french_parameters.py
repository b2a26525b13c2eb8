"""Every SearchParameter of the French guides finds what it is about, or is refused with a reason.

The same definitions under other codes are added to the record, as an administrator would, and find
the same.
"""

import json
import tarfile
from collections import Counter
from urllib.parse import quote

import pytest

from passerelle.dossiers import packages, parameter_indexing
from passerelle.dossiers.parameter_standing import standings
from tests.api.french_parameters import RESOURCES, SEARCHES

pytestmark = pytest.mark.anyio

SMALL = (
    *("ans.fhir.fr.cds-2.0.1", "ans.fhir.fr.gap-3.0.0", "ans.fhir.fr.nde-3.0.0"),
    *("ans.fhir.fr.pdsm-3.1.1", "ans.fhir.fr.tde-2.0.0"),
)
STRICT = {"prefer": "handling=strict"}
YIELDING = {
    "GAP-Slot-earliestStart": "Slot-start",
    "GAP-Slot-latestStart": "Slot-start",
    "GAP-Appointment-latestStart": "GAP-Appointment-earliestStart",
    "PDSm-List-PatientAsSource": "List-source",
    "PDSm-List-PractitionerRoleAsSource": "List-source",
    "PDSm-List-PatientAsSubject": "clinical-patient",
}
"""Those whose code another definition has, which answers in their place: docs/search.md."""


def french(shared):
    """Give the packages of the French guides."""
    folder = shared / "data" / "packages"
    return sorted(file for file in folder.glob("*.tgz") if ".fr." in file.name)


def definitions(files):
    """Give the SearchParameters of packages by address, of several versions the last one."""
    found = {}
    for file in files:
        with tarfile.open(file) as archive:
            for member in archive:
                if member.name.endswith(".json") and "SearchParameter" in member.name:
                    read = json.load(archive.extractfile(member))
                    if read.get("resourceType") == "SearchParameter":
                        found[read["url"]] = read
    return found


def renamed(definition, number):
    """Give a definition under another code and address, without what it is faulty in."""
    kept = ("resourceType", "name", "status", "base", "type", "expression", "target")
    return {name: definition[name] for name in kept if name in definition} | {
        "id": f"renamed-{number}",
        "url": definition["url"] + "-renamed",
        "code": f"x-{number}",
        "description": "some of them have none",
    }


async def answers(served, type_, code, value):
    address = f"/fhir/{type_}?{code}={quote(value)}"
    answer = await served.ask("GET", address, headers=STRICT)
    assert answer.status_code == 200, (address, answer.text)
    return [entry["resource"]["id"] for entry in answer.json().get("entry", ())]


async def install(served, files):
    for type_, resource in RESOURCES.items():
        await served.kept({"resourceType": type_, "id": "fr", **resource})
    for file in files:
        await packages.add(served.gateway, file.read_bytes())


async def shown(served, files, capsys):
    """Compare what is found with what should be; print the table and give the counts."""
    await install(served, files)
    known = definitions(files)
    added = {}
    for number, definition in enumerate(known.values()):
        made = renamed(definition, number)
        answer = await served.ask("PUT", f"/fhir/SearchParameter/{made['id']}", made)
        added[definition["url"]] = (made["code"], answer.status_code)
    await parameter_indexing.index_all(served.gateway)
    standing = {}
    for each in await standings(served.gateway):
        standing.setdefault(each.url, []).append(each)
    counts = Counter()
    lines = []
    for url, definition in known.items():
        name = url.rpartition("/")[2]
        states = {each.state for each in standing[url]}
        rules = sorted({said.rule for each in standing[url] for said in each.issues})
        assert states == ({"refused"} if name in YIELDING else {"ready"}), (url, states)
        assert rules == (["parameter.code-taken"] if name in YIELDING else []), (url, rules)
        code, status = added[url]
        assert status == 201, url
        for type_ in definition["base"]:
            value = SEARCHES[type_][definition["code"]]
            assert await answers(served, type_, definition["code"], value) == ["fr"], url
            assert await answers(served, type_, code, value) == ["fr"], (url, code)
            said = rules[0] + " " + YIELDING[name] if rules else "finds its example"
            lines.append(f"{type_:22}{definition['code']:30}{name:40}{min(states):9}{said}")
        counts[min(states)] += 1
        counts["added"] += 1
    with capsys.disabled():
        print("", *lines, dict(counts), sep="\n")
    return counts


async def test_those_of_five_guides_find_what_they_are_about(served, shared, capsys):
    files = [file for file in french(shared) if file.name.removesuffix(".tgz") in SMALL]
    counts = await shown(served, files, capsys)
    assert counts == {"ready": 16, "refused": 5, "added": 21}


@pytest.mark.nightly
async def test_those_of_every_french_package_find_what_they_are_about(served, shared, capsys):
    counts = await shown(served, french(shared), capsys)
    assert counts == {"ready": 30, "refused": 6, "added": 36}
