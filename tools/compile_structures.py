"""Compile the R4 4.0.1 StructureDefinitions into the table that the door checks with.

    python tools/compile_structures.py CORE.tgz EXPANSIONS.tgz [OUTPUT.json]

Sources: the packages ``hl7.fhir.r4.core`` 4.0.1 (also published as ``hl7.fhir.r4.examples``) and
``hl7.fhir.r4.expansions`` 4.0.1, both CC0-1.0 (https://hl7.org/fhir/R4/license.html). The output is
the same byte for byte for the same packages. What it holds is told in
``passerelle/fhir/structure_table.py``, which reads it.
"""

import hashlib
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

OUTPUT = Path(__file__).parents[1] / "passerelle/fhir/definitions/structures.json"
REGEX = "http://hl7.org/fhir/StructureDefinition/regex"
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
SYSTEM_STRING = "http://hl7.org/fhirpath/System.String"
TOO_COSTLY = "http://hl7.org/fhir/StructureDefinition/valueset-toocostly"
CODED = frozenset({"code", "Coding", "CodeableConcept"})
CONCEPTS = CODED - {"code"}
OF_EVERY_ELEMENT = frozenset({"ele-1", "ext-1"})
BACKBONES = ("BackboneElement", "Element")

Definition = dict[str, Any]


def definitions(package: Path, prefix: str) -> Iterator[Definition]:
    """Give the definitions of a package whose file names begin so, in the order of their names."""
    found: dict[str, bytes] = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name.startswith(f"package/{prefix}"):
                file = archive.extractfile(member)
                assert file is not None
                found[member.name] = file.read()
    for name in sorted(found):
        yield msgspec.json.decode(found.pop(name))


def source(package: Path) -> Definition:
    """Give name, version, licence and sum of a package."""
    with tarfile.open(package) as archive:
        file = archive.extractfile("package/package.json")
        assert file is not None
        manifest = json.load(file)
    return {
        "name": manifest["name"],
        "version": manifest["version"],
        "license": manifest["license"],
        "sha256": hashlib.sha256(package.read_bytes()).hexdigest(),
    }


def type_name(element: Definition, kind: Definition) -> str:
    """Spell one type of an element: its targets in brackets, ``@`` for an XML attribute."""
    code: str = kind["code"]
    if code == SYSTEM_STRING:
        inner = next(e["valueUrl"] for e in kind["extension"] if e["url"] == FHIR_TYPE)
        return "@id" if element["path"].count(".") == 1 and is_resource_id(element) else f"@{inner}"
    if code in BACKBONES and element["path"].count("."):
        return str(element["path"])
    if kind.get("profile"):
        return str(kind["profile"][0]).rsplit("/", 1)[1]
    targets = [url.rsplit("/", 1)[1] for url in kind.get("targetProfile", ())]
    if targets and "Resource" not in targets and code == "Reference":
        return f"Reference({'|'.join(targets)})"
    return code


def is_resource_id(element: Definition) -> bool:
    """Tell whether an element is the logical id of a resource."""
    base = element.get("base", {})
    return bool(base.get("path", element["path"]) == "Resource.id")


def shorthand(element: Definition, codes: dict[str, list[str]]) -> str:
    """Write an element in one line: cardinality, types, value set, flags as FHIR's tables do."""
    types = [type_name(element, kind) for kind in element.get("type", ())]
    reused = element.get("contentReference")
    if reused:
        types = [reused.split("#")[1]]
    words = [f"{element['min']}..{element['max']}", "|".join(dict.fromkeys(types))]
    binding = element.get("binding", {})
    value_set = binding.get("valueSet", "").split("|")[0].rsplit("/", 1)[-1]
    coded = CODED.intersection(types)
    if binding.get("strength") == "required" and codes.get(value_set) and coded:
        words.append(f"={value_set}")
    words += [
        flag for flag, name in (("?!", "isModifier"), ("Σ", "isSummary")) if element.get(name)
    ]
    return " ".join(words)


def tables_of(definition: Definition, codes: dict[str, list[str]]) -> Iterator[tuple[str, Any]]:
    """Give the tables of a type: its own and those of the elements that have elements inside."""
    elements = definition["snapshot"]["element"]
    root, *inner = elements
    own = definition["id"]
    base = definition.get("baseDefinition", "").rsplit("/", 1)[-1]
    members: dict[str, dict[str, str]] = {own: {}}
    bases = {own: base}
    for element in inner:
        path = element["path"].replace(root["path"], own, 1)
        owner, name = path.rsplit(".", 1)
        kinds = [kind["code"] for kind in element.get("type", ())]
        if kinds and kinds[0] in BACKBONES:
            members[path] = {}
            bases[path] = kinds[0]
        members.setdefault(owner, {})[name] = shorthand(element, codes)
    for path, table in members.items():
        yield path, [bases[path], table]


def without_inherited(tables: dict[str, Any]) -> dict[str, Any]:
    """Drop from each table the elements that its base already tells in the same words."""

    def all_of(name: str) -> dict[str, str]:
        if name not in tables:
            return {}
        base, table = tables[name]
        return {**all_of(base), **table}

    return {
        name: [base, {k: v for k, v in table.items() if all_of(base).get(k) != v}]
        for name, (base, table) in tables.items()
    }


def invariants_of(definition: Definition, inherited: dict[str, set[str]]) -> Iterator[Any]:
    """Give path, key and expression of the invariants that a type adds and that are errors.

    The path is without ``[x]``. Those of the root that its base has too are the base's.
    """
    own = definition["id"]
    root = definition["snapshot"]["element"][0]["path"]
    base = definition.get("baseDefinition", "").rsplit("/", 1)[-1]
    for element in definition["snapshot"]["element"]:
        path = element["path"].replace(root, own, 1).removesuffix("[x]")
        known = inherited.get(base, set()) if path == own else OF_EVERY_ELEMENT
        for constraint in element.get("constraint", ()):
            if constraint["severity"] == "error" and constraint["key"] not in known:
                yield path, constraint["key"], constraint["expression"]


def keys_by_type(types: list[Definition]) -> dict[str, set[str]]:
    """Give the keys of the invariants of each type as a whole, those of its base included."""
    return {
        found["id"]: {one["key"] for one in found["snapshot"]["element"][0].get("constraint", ())}
        for found in types
    }


def invariants(types: list[Definition]) -> dict[str, dict[str, str]]:
    """Give the expressions of all invariants that are errors, by path and key."""
    inherited = keys_by_type(types)
    table: dict[str, dict[str, str]] = {}
    for definition in types:
        for path, key, expression in invariants_of(definition, inherited):
            table.setdefault(path, {})[key] = expression
    return dict(sorted(table.items()))


def codes_of(expansion: list[Definition]) -> Iterator[str]:
    """Give the codes of an expansion, those inside too, without the abstract ones."""
    for entry in expansion:
        if "code" in entry and not entry.get("abstract"):
            yield entry["code"]
        yield from codes_of(entry.get("contains", []))


def systems_of(expansion: list[Definition]) -> Iterator[str]:
    """Give the code systems of an expansion."""
    for entry in expansion:
        if "system" in entry:
            yield entry["system"]
        yield from systems_of(entry.get("contains", []))


def compiled(core: Path, expansions: Path) -> Definition:
    """Make the whole table."""
    expanded = {
        found["url"].rsplit("/", 1)[1]: found["expansion"].get("contains", [])
        for found in definitions(expansions, "ValueSet-")
        if not any(e["url"] == TOO_COSTLY for e in found["expansion"].get("extension", ()))
    }
    codes = {name: sorted(set(codes_of(entries))) for name, entries in expanded.items()}
    primitives: dict[str, str] = {}
    tables: dict[str, Any] = {}
    resources: list[str] = []
    types: list[Definition] = []
    for found in definitions(core, "StructureDefinition-"):
        if found["kind"] == "logical":
            continue
        if found.get("derivation") == "constraint" and found["id"] != "SimpleQuantity":
            continue
        if found["kind"] == "primitive-type":
            kind = found["snapshot"]["element"][-1]["type"][0]
            known = (e["valueString"] for e in kind.get("extension", ()) if e["url"] == REGEX)
            primitives[found["id"]] = next(known, "")
            continue
        if found["kind"] == "resource" and not found["abstract"]:
            resources.append(found["id"])
        tables.update(tables_of(found, codes))
        types.append(found)
    lines = [line for _, table in tables.values() for line in table.values()]
    used = {word[1:] for line in lines for word in line.split() if word.startswith("=")}
    concepts = {
        word[1:]
        for line in lines
        for word in line.split()
        if word.startswith("=") and not CONCEPTS.isdisjoint(line.split()[1].split("|"))
    }
    return {
        "sources": [source(core), source(expansions)],
        "primitives": dict(sorted(primitives.items())),
        "resources": sorted(resources),
        "codes": {name: codes[name] for name in sorted(used)},
        "systems": {name: sorted(set(systems_of(expanded[name]))) for name in sorted(concepts)},
        "types": dict(sorted(without_inherited(tables).items())),
        "invariants": invariants(types),
    }


def dumped(table: Definition) -> str:
    """Write the table with one entry a line, so that a change of it can be read."""
    sections = []
    for name, content in table.items():
        if isinstance(content, dict):
            lines = [f"  {json.dumps(k)}: {compact(v)}" for k, v in content.items()]
            sections.append(f" {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n }")
        else:
            lines = [f"  {compact(entry)}" for entry in content]
            sections.append(f" {json.dumps(name)}: [\n" + ",\n".join(lines) + "\n ]")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def compact(value: object) -> str:
    """Write a value in one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main(arguments: list[str]) -> None:
    """Read two packages, write one table."""
    core, expansions, *rest = map(Path, arguments)
    output = rest[0] if rest else OUTPUT
    output.write_text(dumped(compiled(core, expansions)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
