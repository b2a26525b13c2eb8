"""Compile the R4 4.0.1 CompartmentDefinitions into the table of compartment searches.

    python tools/compile_compartments.py CORE.tgz [OUTPUT.json]

Source: the package ``hl7.fhir.r4.core`` 4.0.1, CC0-1.0 (https://hl7.org/fhir/R4/license.html). The
output is the same byte for byte for the same package: compartment, resource type, the codes of the
search parameters by which a resource of that type is in it.
"""

import json
import sys
import tarfile
from pathlib import Path

OUTPUT = Path(__file__).parents[1] / "passerelle/fhir/definitions/compartments.json"


def compartments(package: Path) -> dict[str, dict[str, list[str]]]:
    """Give the compartments of a package, types without parameters left out."""
    found: dict[str, dict[str, list[str]]] = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if not member.name.startswith("package/CompartmentDefinition-"):
                continue
            file = archive.extractfile(member)
            assert file is not None
            definition = json.load(file)
            if definition["url"] != f"http://hl7.org/fhir/CompartmentDefinition/{definition['id']}":
                continue
            if "example" in definition["id"]:
                continue
            found[definition["code"]] = {
                entry["code"]: sorted(entry["param"])
                for entry in definition["resource"]
                if entry.get("param")
            }
    return found


def main(arguments: list[str]) -> None:
    """Write the table."""
    output = Path(arguments[1]) if len(arguments) > 1 else OUTPUT
    table = compartments(Path(arguments[0]))
    text = json.dumps(table, indent=1, sort_keys=True, ensure_ascii=False)
    output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
