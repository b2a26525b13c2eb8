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
OUTPUT = Path(__file__).parents[1] / "passerelle/fhir/definitions/search_parameters.json"


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
    for definition in definitions(folder):
        code, kind = definition.get("code"), definition.get("type")
        if code in LEFT_OUT or kind not in KINDS or "example" in definition.get("id", ""):
            continue
        for type in definition.get("base", ()):
            pair = (type, code)
            if type not in TYPES or pair in found or "-extensions-" in definition["url"]:
                continue
            expression = CORRECTED.get(pair) or alternatives(definition.get("expression", ""), type)
            if not expression:
                raise SystemExit(f"no expression for {type} {code}: {definition['url']}")
            row = {"type": type, "code": code, "kind": kind, "expression": expression}
            if kind == "reference":
                targets = TARGETS.get(pair) or sorted(definition.get("target", ()))
                row["targets"] = ["Resource"] if len(targets) > ANY_TARGET_SIZE else targets
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
    for pair in sorted(found.keys() - ids.keys(), key=lambda pair: (order[pair[0]], pair[1])):
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
