"""Compile the search parameters of R4 and of the French guides into one committed table.

    python -m tools.compile_search_parameters ../shared/data/packages

Reads the SearchParameter resources of the packages and writes
``passerelle/fhir/definitions/search_parameters.json``. The ids of the existing table are kept and
new parameters are appended: an id once given is never given again, since index rows carry it.
What is left out or corrected stands in the tables below, each with its reason.
"""

import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from passerelle.fhir.search.expressions import Path as Way
from passerelle.fhir.search.expressions import compile_expression, compile_within
from passerelle.fhir.urls import PASSERELLE

CORE = "hl7.fhir.r4.core-4.0.1.tgz"
PACKAGES = (
    CORE,
    "ans.fhir.fr.cds-2.0.1.tgz",
    "ans.fhir.fr.pdsm-3.1.1.tgz",
    "ans.fhir.fr.gap-3.0.0.tgz",
    # With the parameters of IHE MHD that PDSm builds on.
    "ans.fhir.fr.pdsm-3.1.1-combined.tgz",
    "ans.fhir.fr.nde-3.0.0.tgz",
    "ans.fhir.fr.tde-2.0.0.tgz",
    "ans.fhir.fr.annuaire-1.2.0-snapshot-2.tgz",
    # These define none of their own today; they are asked all the same.
    "ans.fhir.fr.mss-0.1.0-snapshot.tgz",
    "ans.fhir.fr.cdl-3.0.0.tgz",
    "ans.fhir.fr.tddui-1.1.0-ballot.tgz",
)
"""In the order of their authority: of several definitions of a code the first one is taken.

So PDSm-List-PatientAsSource and -PractitionerRoleAsSource (``source``, one target each) and
-PatientAsSubject (``patient``) yield to List-source and clinical-patient of R4, which say the same
of all targets; of GAP-Slot-earliestStart and -latestStart (``start``) either does.
"""

OWN: tuple[dict[str, Any], ...] = (
    {
        "id": "Task-due",
        "url": PASSERELLE + "/SearchParameter/Task-due",
        "code": "due",
        "base": ["Task"],
        "type": "date",
        "expression": "Task.restriction.period.end",
    },
    {
        "id": "Flag-status",
        "url": PASSERELLE + "/SearchParameter/Flag-status",
        "code": "status",
        "base": ["Flag"],
        "type": "token",
        "expression": "Flag.status",
    },
)
"""Ours, after those of the packages: what R4 and the guides have none for. When a task is due is
asked to find those that are overdue, which is computed and never stored; the status of a Flag (R5
has it) tells alerts that stand from those that were entered in error."""

LEFT_OUT = {
    "_content": "answered by the full text of the record, not by an expression",
    "_text": "answered by the full text of the record, not by an expression",
    "_query": "names an operation",
    "_filter": "is an expression of its own over the other parameters",
}
NO_PARAMETERS = {
    "example": "an example of a definition",
    "example-extension": "an example of a definition",
    # Their expressions lead to an extension with the address of the parameter itself, or to none.
    "device-extensions-Device-din": "no such extension",
    "patient-extensions-Patient-mothersMaidenName": "no such extension",
    "patient-extensions-Patient-age": "without an expression",
    "patient-extensions-Patient-birthOrderBoolean": "without an expression",
}
ANY_TARGET_SIZE = 100
"""A reference with more targets than this is one to any resource."""

_PERIOD = "extension.where(url='http://hl7.org/fhir/StructureDefinition/organization-period').value"
CORRECTED = {
    # The expression of the guide has no type and relies on ``as``.
    ("Patient", "birthplace"): (
        "Patient.extension('http://hl7.org/fhir/StructureDefinition/patient-birthPlace').value"
    ),
    # Published with the description, and in some versions the expression, of participant-start.
    ("CareTeam", "participant-end"): "CareTeam.participant.period.end",
    # Without a type it would be read from any element.
    ("DocumentReference", "isArchived"): (
        "DocumentReference.extension("
        "'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived'"
        ").value"
    ),
    # The Annuaire looks below the address; the extension belongs to the organisation itself.
    ("Organization", "period"): f"Organization.{_PERIOD} | Organization.address.{_PERIOD}",
}
SWAPPED = {("DocumentReference", "relationship")}
"""R4 names ``relatesto`` as what defines ``code`` and ``relation`` as what defines ``target``."""

TARGETS = {
    ("CareTeam", "managingOrganization"): ["Organization"],
    # R4 says Patient or Group, but the expression admits patients only.
    ("CareTeam", "patient"): ["Patient"],
    ("DocumentReference", "patient"): ["Patient"],
    ("List", "authorOrg"): ["Organization"],
}
PLAIN_TYPES = ("boolean", "code", "id", "string", "unsignedInt", "positiveInt", "integer", "uri")
"""Data types of a token that carries no system of its own."""

ELEMENT_SYSTEMS = {"contentType": "urn:ietf:bcp:13", "language": "urn:ietf:bcp:47"}
"""Systems of the elements whose value set is not a list of codes."""

PLAIN: dict[tuple[str, str], str | None] = {
    ("DocumentReference", "isArchived"): "",
    ("List", "isArchived"): "",
    ("Resource", "_id"): None,
}
"""What the structure definitions do not tell: the implied system of plain tokens."""

_TYPED = re.compile(r"\(*(?P<type>[A-Z]\w*)\b")
CORE_URL = "http://hl7.org/fhir/SearchParameter/"
OUTPUT = Path(__file__).parents[1] / "passerelle/fhir/definitions/search_parameters.json"

Pair = tuple[str, str]


class ValueSets:
    """The value sets of R4, to know the system that the codes bound to them are implied to have."""

    def __init__(self, folder: Path) -> None:
        self._archive = tarfile.open(folder / CORE)  # noqa: SIM115 - to the end of the tool
        self._names = set(self._archive.getnames())

    def system(self, name: str | None) -> str:
        """Give the one system of a value set; empty when it has none or several."""
        if name is None or f"package/ValueSet-{name}.json" not in self._names:
            return ""
        file = self._archive.extractfile(f"package/ValueSet-{name}.json")
        assert file is not None
        included = json.load(file)["compose"]["include"]
        systems = {entry.get("system", "") for entry in included}
        return systems.pop() if len(systems) == 1 else ""

    def implied(self, ways: tuple[Way, ...]) -> str | None:
        """Give the system that the plain codes at the ends of an expression are implied to have.

        None says that values there carry their own.
        """
        ends = [(type_, element) for way in ways for type_, element in way.types]
        if not ends or any(type_ not in PLAIN_TYPES for type_, _ in ends):
            return None
        found = {
            ELEMENT_SYSTEMS.get(element.name) or self.system(element.value_set) if element else ""
            for _, element in ends
        }
        return found.pop() if len(found) == 1 else None


def definitions(folder: Path) -> Iterator[dict[str, Any]]:
    """Give the SearchParameter resources of the packages, in their order, then ours."""
    for name in PACKAGES:
        with tarfile.open(folder / name) as archive:
            for member in sorted(archive.getmembers(), key=lambda entry: entry.name):
                if not member.name.startswith("package/SearchParameter-"):
                    continue
                file = archive.extractfile(member)
                assert file is not None
                yield json.load(file)
    yield from OWN


def alternatives(expression: str, type_: str) -> str:
    """Give the alternatives of an expression that speak of one type, each beginning with it."""
    found = []
    for part in (part.strip() for part in expression.split("|")):
        typed = _TYPED.match(part)
        if typed is None and part:
            bare = part.removeprefix("(").removesuffix(")") if part[0] == "(" else part
            found.append(f"{type_}.{bare.removesuffix(' as Address')}")
        elif typed is not None and typed["type"] == type_:
            found.append(part)
    return " | ".join(found)


def rows(folder: Path) -> dict[Pair, dict[str, Any]]:
    """Give one row per (type, code), without ids; the first definition of a pair wins."""
    found: dict[Pair, dict[str, Any]] = {}
    value_sets = ValueSets(folder)
    codes: dict[str, str] = {}
    for definition in definitions(folder):
        code = str(definition.get("code"))
        codes[definition["url"]] = code
        if code in LEFT_OUT or definition["id"] in NO_PARAMETERS:
            continue
        for type_ in definition.get("base", ()):
            if (type_, code) not in found:
                found[type_, code] = row(definition, (type_, code), value_sets)
    for (type_, _), each in found.items():
        for component in each.get("components", ()):
            component.append((type_, codes[component.pop()]))
    return found


def row(definition: dict[str, Any], pair: Pair, value_sets: ValueSets) -> dict[str, Any]:
    """Give the row of one parameter; raises SystemExit where its expression is not understood."""
    type_, code = pair
    expression = CORRECTED.get(pair) or alternatives(definition.get("expression", ""), type_)
    if not expression:
        raise SystemExit(f"no expression for {type_} {code}: {definition['url']}")
    ways = compile_expression(type_, expression)
    kind = definition["type"]
    made: dict[str, Any] = {"type": type_, "code": code, "kind": kind, "expression": expression}
    if kind == "reference":
        targets = TARGETS.get(pair) or sorted(definition.get("target", ()))
        made["targets"] = ["Resource"] if not 0 < len(targets) <= ANY_TARGET_SIZE else targets
    if kind == "token":
        system = PLAIN[pair] if pair in PLAIN else value_sets.implied(ways)
        if system is not None:
            made["system"] = system
    made["url"] = definition["url"].removeprefix(CORE_URL)
    if kind == "composite":
        ends = tuple(name for way in ways for name, _ in way.types)
        for component in definition["component"]:
            compile_within(ends, component["expression"], type_)
        # The kind and the id of what defines a component are known when all are read.
        defined = [part["definition"].split("|")[0] for part in definition["component"]]
        if pair in SWAPPED:
            defined.reverse()
        made["components"] = [
            ["", part["expression"], url]
            for part, url in zip(definition["component"], defined, strict=True)
        ]
    return made


def numbered(found: dict[Pair, dict[str, Any]], known: list[dict[str, Any]]) -> dict[Pair, int]:
    """Give each parameter its id: the one that it has, or the next."""
    ids: dict[Pair, int] = {(row["type"], row["code"]): row["id"] for row in known}
    gone = ids.keys() - found.keys()
    if gone:
        raise SystemExit(f"these would disappear: {sorted(gone)}")
    following = max(ids.values(), default=0) + 1
    for number, pair in enumerate(sorted(found.keys() - ids.keys()), following):
        ids[pair] = number
    return ids


def main() -> None:
    """Merge with the ids of the committed table and write it, one parameter a line."""
    folder = Path(sys.argv[1])
    known = json.loads(OUTPUT.read_text(encoding="utf-8")) if OUTPUT.exists() else []
    found = rows(folder)
    ids = numbered(found, known)
    lines = []
    for pair in sorted(found, key=lambda pair: ids[pair]):
        for component in found[pair].get("components", ()):
            inner = component.pop()
            component[0] = found[inner]["kind"]
            component.append(ids[inner])
        lines.append(json.dumps({"id": ids[pair], **found[pair]}, ensure_ascii=False))
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
