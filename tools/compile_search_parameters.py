"""Compile the search parameters of R4 and of the French guides into one committed table.

    python tools/compile_search_parameters.py ../shared/data/packages

Reads the SearchParameter resources of the packages, keeps the types and kinds in scope, and writes
``passerelle/fhir/definitions/search_parameters.json``. The ids of the existing table are kept and
new parameters are appended: an id once given is never given again, since index rows carry it.
"""

import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGES = (
    "hl7.fhir.r4.core-4.0.1.tgz",
    "ans.fhir.fr.cds-2.0.1.tgz",
    "ans.fhir.fr.pdsm-3.1.1.tgz",
    "ans.fhir.fr.gap-3.0.0.tgz",
)
TYPES = (
    "Resource",
    "Appointment",
    "CareTeam",
    "Communication",
    "DocumentReference",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "Task",
)
ON_EVERY_TYPE = ("identifier",)
"""Codes that are taken for all types: conditions of transactions name resources by identifier."""

KINDS = ("token", "string", "reference", "date", "number", "quantity", "uri")
LEFT_OUT = ("_content", "_text", "_query", "_filter", "phonetic")
"""Of the codes that have a kind in scope, those that are not answered from an index.

``phonetic`` needs a phonetic form of French names; answering it as ``name`` would be a lie.
"""

ANY_TARGET_SIZE = 100
"""A reference with more targets than this is one to any resource."""

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
}
TARGETS = {
    ("CareTeam", "managingOrganization"): ["Organization"],
    # R4 says Patient or Group, but the expression admits patients only.
    ("CareTeam", "patient"): ["Patient"],
    ("DocumentReference", "patient"): ["Patient"],
}
PLAIN_TYPES = ("boolean", "code", "id", "string", "unsignedInt", "uri")
"""Data types of a token that carries no system of its own."""

PLAIN = {("Patient", "deceased"): "", ("DocumentReference", "isArchived"): ""}
"""What the structure definitions do not tell: the implied system of plain tokens."""

OUTPUT = Path(__file__).parents[1] / "passerelle/fhir/definitions/search_parameters.json"


class Structures:
    """The data types and bindings of R4, to know which tokens carry no system of their own."""

    def __init__(self, folder: Path) -> None:
        self._archive = tarfile.open(folder / PACKAGES[0])  # noqa: SIM115 - to the end of the tool
        self._names = set(self._archive.getnames())

    def _read(self, name: str) -> dict[str, Any] | None:
        if f"package/{name}.json" not in self._names:
            return None
        file = self._archive.extractfile(f"package/{name}.json")
        assert file is not None
        found: dict[str, Any] = json.load(file)
        return found

    def element(self, path: str) -> dict[str, Any] | None:
        """Give the definition of an element by its path, through the data types on the way."""
        type, *names = path.split(".")
        here, found = type, None
        for name in names:
            structure = self._read(f"StructureDefinition-{type}")
            here = f"{here}.{name}"
            elements = structure["snapshot"]["element"] if structure else ()
            found = next((entry for entry in elements if entry["path"] == here), None)
            if found is None:
                return None
            code = found["type"][0]["code"]
            if code not in ("BackboneElement", "Element"):
                type = here = code
        return found

    def implied_system(self, path: str) -> str | None:
        """Give the system that the codes at a path are implied to have; empty for no system.

        None says that they carry their own.
        """
        element = self.element(path)
        if element is None or element["type"][0]["code"] not in PLAIN_TYPES:
            return None
        bound = element.get("binding", {}).get("valueSet", "").split("|")[0].rsplit("/", 1)[-1]
        value_set = self._read(f"ValueSet-{bound}") if bound else None
        included = value_set["compose"]["include"] if value_set else []
        systems = {entry.get("system", "") for entry in included}
        return systems.pop() if len(systems) == 1 else ""


def implied_system(structures: Structures, pair: tuple[str, str], expression: str) -> str | None:
    """Give the implied system of a token parameter; None when its values carry their own."""
    if pair in PLAIN:
        return PLAIN[pair]
    if not all(part.replace(".", "").isalnum() for part in expression.split(" | ")):
        return None
    systems = {structures.implied_system(path) for path in expression.split(" | ")}
    return systems.pop() if len(systems) == 1 else None


def definitions(folder: Path) -> Iterator[dict[str, Any]]:
    """Give the SearchParameter resources of the packages, official and in their order."""
    for name in PACKAGES:
        with tarfile.open(folder / name) as archive:
            for member in sorted(archive.getmembers(), key=lambda entry: entry.name):
                if not member.name.startswith("package/SearchParameter-"):
                    continue
                file = archive.extractfile(member)
                assert file is not None
                yield json.load(file)


def alternatives(expression: str, type: str) -> str:
    """Give the alternatives of an expression that speak of one type."""
    parts = [part.strip() for part in expression.split("|")]
    return " | ".join(part for part in parts if part.lstrip("(").split(".")[0] == type)


def rows(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Give one row per (type, code), without ids; the first definition of a pair wins."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    structures = Structures(folder)
    for definition in definitions(folder):
        code, kind = definition.get("code"), definition.get("type")
        if code in LEFT_OUT or kind not in KINDS or "example" in definition.get("id", ""):
            continue
        for type in definition.get("base", ()):
            pair = (str(type), str(code))
            if type not in TYPES and code not in ON_EVERY_TYPE:
                continue
            if pair in found or "-extensions-" in definition["url"]:
                continue
            expression = CORRECTED.get(pair) or alternatives(definition.get("expression", ""), type)
            if not expression:
                raise SystemExit(f"no expression for {type} {code}: {definition['url']}")
            row = {"type": type, "code": code, "kind": kind, "expression": expression}
            if kind == "reference":
                targets = TARGETS.get(pair) or sorted(definition.get("target", ()))
                row["targets"] = ["Resource"] if len(targets) > ANY_TARGET_SIZE else targets
            if kind == "token":
                system = implied_system(structures, pair, expression)
                if system is not None:
                    row["system"] = system
            row["url"] = definition["url"]
            found[pair] = row
    return found


def main() -> None:
    """Merge with the ids of the committed table and write it, one parameter a line."""
    folder = Path(sys.argv[1])
    known = json.loads(OUTPUT.read_text(encoding="utf-8")) if OUTPUT.exists() else []
    ids = {(row["type"], row["code"]): row["id"] for row in known}
    found = rows(folder)
    gone = ids.keys() - found.keys()
    if gone:
        raise SystemExit(f"these would disappear: {sorted(gone)}")
    order = {type: place for place, type in enumerate(TYPES)}
    following = max(ids.values(), default=0) + 1
    last = len(order)
    new = sorted(found.keys() - ids.keys(), key=lambda p: (order.get(p[0], last), p))
    for pair in new:
        ids[pair] = following
        following += 1
    lines = [
        json.dumps({"id": ids[pair], **found[pair]}, ensure_ascii=False)
        for pair in sorted(found, key=lambda pair: ids[pair])
    ]
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
