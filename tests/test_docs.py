"""The documentation is true: reference pages are what the code says, links lead somewhere, and no
page names a setting, a command or a rule that there is not."""

import ast
import configparser
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from passerelle import settings as settings_module
from passerelle.dossiers.mailing.transmission import JOB_KIND
from passerelle.dossiers.mailing.transmission_states import NEXT
from passerelle.errors.rules import table
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.mappers.native.dossier_to_fhir import to_fhir
from passerelle.store import schema
from tests.strategies.dossiers import dossiers
from tools import (
    reference_commands,
    reference_database,
    reference_refusals,
    reference_settings,
    reference_transmission,
    write_reference,
)
from tools.reference_dossier_fields import GROUPS
from tools.reference_markdown import anchor

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in WRITTEN]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
COMMAND = re.compile(r"(?:^|[\s/`])passerelle((?: [a-z]+(?:-[a-z]+)*){1,2})")
OF_TESTS = {"PASSERELLE_SHARED", "PASSERELLE_KILLS"}
"""Variables that the tests read and no command."""
FIELDS = [field for _, _, fields in GROUPS for field in fields]


def test_the_reference_pages_are_what_the_code_says(tmp_path: Path) -> None:
    write_reference.main(tmp_path)
    committed = {path.name: path.read_text("utf-8") for path in write_reference.FOLDER.glob("*")}
    written = {path.name: path.read_text("utf-8") for path in tmp_path.glob("*")}
    assert committed.keys() == written.keys()
    for name in written:
        assert committed[name] == written[name], f"{name} is stale: run `make docs`"


def test_writing_again_takes_away_a_page_that_is_none_any_more(tmp_path: Path) -> None:
    (tmp_path / "former.md").write_text("x")
    write_reference.main(tmp_path)
    assert not (tmp_path / "former.md").exists()
    assert len(list(tmp_path.iterdir())) == len(write_reference.PAGES) + 1


@pytest.mark.parametrize("path", WRITTEN, ids=NAMES)
def test_every_relative_link_leads_to_a_file_and_to_a_title_in_it(path: Path) -> None:
    text = CODE.sub("", path.read_text("utf-8"))
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, fragment = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{link} leads nowhere"
        if fragment:
            assert fragment in _anchors(target), f"{link} has no such title"


def _anchors(path: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    return {anchor(title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("path", WRITTEN, ids=NAMES)
def test_no_page_names_a_setting_that_there_is_not(path: Path) -> None:
    named = set(re.findall(r"PASSERELLE_[A-Z_]*[A-Z]", path.read_text("utf-8")))
    fields = settings_module.Settings.model_fields
    there = {reference_settings.variable(name) for name in fields}
    families = {"PASSERELLE_MSS"}  # written PASSERELLE_MSS_*
    assert named <= there | set(reference_settings.OTHERS) | OF_TESTS | families


@pytest.mark.parametrize("path", WRITTEN, ids=NAMES)
def test_no_page_names_a_command_that_there_is_not(path: Path) -> None:
    there = {name.removeprefix("passerelle ") for name, _ in reference_commands.commands()}
    groups = {name.partition(" ")[0] for name in there if " " in name}
    for code in CODE.findall(path.read_text("utf-8")):
        for words in COMMAND.findall(code):
            first, _, second = words.strip().partition(" ")
            if first in groups and second:
                assert f"{first} {second}" in there
            else:
                assert first in there | groups, f"passerelle {first}"


@pytest.mark.parametrize("path", WRITTEN, ids=NAMES)
def test_no_page_names_a_rule_that_there_is_not(path: Path) -> None:
    families = {slug.partition(".")[0] for slug in table()}
    files = (".toml", ".py", ".json", ".md")
    for code in re.findall(r"`([a-z]+\.[a-z0-9-]+)`", path.read_text("utf-8")):
        if code.partition(".")[0] in families and not code.endswith(files):
            assert code in table().keys() | {JOB_KIND}


def test_every_setting_family_table_and_state_has_a_line_that_says_what_it_is() -> None:
    fields = settings_module.Settings.model_fields
    assert [n for n, f in fields.items() if not reference_settings.meaning(n, f)] == []
    assert reference_settings.MEANINGS.keys() <= fields.keys()
    families = {slug.partition(".")[0] for slug in table()}
    assert reference_refusals.FAMILIES.keys() == families
    assert reference_database.TABLES.keys() == schema.metadata.tables.keys()
    assert reference_transmission.MEANINGS.keys() == NEXT.keys()


def test_every_column_of_the_database_has_a_line_that_says_what_it_holds() -> None:
    comments = reference_database.column_comments()
    silent = [
        (found.name, column.name)
        for found in schema.metadata.tables.values()
        for column in found.columns
        if not comments.get((found.name, column.name))
        and column.name not in reference_database.COLUMNS
    ]
    assert silent == []
    assert comments["resource", "dossier"].startswith('"system|value"')


def test_the_default_of_a_secret_is_never_shown() -> None:
    page = write_reference.pages()["settings.md"]
    assert "sqlite:///passerelle.db" not in page
    assert page.count("not shown") == 2


def test_every_command_has_its_help_and_an_example_of_itself() -> None:
    for name, command in reference_commands.commands():
        assert command.help
        assert name in str(command.epilog)


# --- the mapping of the dossier, against the schema and against what the mappers make


def test_the_mapping_names_every_field_of_the_native_form_and_no_other() -> None:
    named = {field.native.replace("[]", "") for field in FIELDS}
    assert len(named) == len(FIELDS)
    leaves = set(_leaves())
    for native in named:
        assert any(f"{leaf}.".startswith(f"{native}.") for leaf in leaves), native
    told = {"managing": "circle.professional.structure", "person.contact": "managing.contact"}
    assert told.keys() <= {".".join(leaf.split(".")[:2]) for leaf in leaves} | {"managing"}
    silent = [leaf for leaf in leaves if not any(f"{leaf}.".startswith(f"{n}.") for n in named)]
    assert silent == []


def _leaves() -> list[str]:
    (path,) = (ROOT / "passerelle").rglob("dossier.schema.json")
    form = json.loads(path.read_text("utf-8"))
    found: list[str] = []

    def walk(place: str, node: dict, within: tuple[str, ...]) -> None:  # type: ignore[type-arg]
        while "$ref" in node:
            if node["$ref"] in within:  # what holds itself is told once
                found.append(place)
                return
            within = (*within, node["$ref"])
            node = form["$defs"][node["$ref"].rpartition("/")[2]]
        if "items" in node:
            walk(place, node["items"], within)
        elif "properties" in node:
            for name, inner in node["properties"].items():
                walk(f"{place}.{name}" if place else name, inner, within)
        else:
            found.append(place)

    walk("", form, ())
    return found


def test_the_mapping_names_types_of_r4_that_the_mappers_make() -> None:
    types = {re.split(r"[.(]", place)[0] for field in FIELDS for place in field.fhir}
    assert types <= resource_types()


@given(dossiers())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_native_field_that_is_there_is_in_an_element_that_the_mapping_names(dossier) -> None:  # type: ignore[no-untyped-def]
    made: dict[str, list[object]] = {}
    for one in to_fhir(dossier, known_ids={}):
        made.setdefault(one.resource["resourceType"], []).append(one.resource)
    for field in FIELDS:
        native = field.native.replace("[]", "").split(".")
        if field.fhir and _holds([dossier.content], native):
            places = [re.split(r"\.(?![^(]*\))", place) for place in field.fhir]
            assert any(_holds(made.get(p[0], []), p[1:]) for p in places), field.native


def _holds(nodes: list, path: list[str]) -> bool:  # type: ignore[type-arg]
    """Tell whether any of the nodes has something at the path; lists are gone through."""
    flat = [one for node in nodes for one in (node if isinstance(node, list) else [node])]
    if not path:
        return bool(flat)
    name, rest = path[0], path[1:]
    if name.startswith("extension("):
        wanted = name[len("extension(") : -1]
        inner = [
            extension
            for node in flat
            for extension in node.get("extension", ())
            if extension["url"].rpartition("/")[2] == wanted
        ]
    else:
        inner = [node[name] for node in flat if isinstance(node, dict) and name in node]
    return _holds(inner, rest)


# --- the architecture page, against the code

ARCHITECTURE = (ROOT / "docs/architecture.md").read_text("utf-8")


def _chapter(title: str) -> str:
    return ARCHITECTURE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_floors_of_the_architecture_are_those_that_are_enforced() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    enforced = contracts["importlinter:contract:floors"]["layers"].split("\n")
    drawn = re.findall(r"```\n(.*?)```", _chapter("Rooms and floors"), re.DOTALL)[0]
    assert drawn.splitlines() == [line.strip() for line in enforced if line.strip()]


def test_every_room_has_its_line_in_the_architecture() -> None:
    rows = re.findall(r"^\| `([a-z]+)/?` \|", _chapter("Rooms and floors"), re.MULTILINE)
    package = ROOT / "passerelle"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")} | {"app", "settings"}
    assert set(rows) == rooms - {"simulation"}


def test_the_tables_of_the_architecture_are_those_of_the_record() -> None:
    rows = re.findall(r"^\| (`.*?`) \|", _chapter("What is kept"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(
        schema.metadata.tables
    )


def test_every_function_that_the_architecture_names_is_in_the_code() -> None:
    named = set(re.findall(r"`(\w+)\.(\w+)\(\)`", ARCHITECTURE))
    assert len(named) > 20
    defined = {pair for path in (ROOT / "passerelle").rglob("*.py") for pair in _defined(path)}
    assert named <= defined


def _defined(path: Path) -> set[tuple[str, str]]:
    """Give (module, function) and (class, method) of a file."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, functions):
            found.add((path.stem, node.name))
        elif isinstance(node, ast.ClassDef):
            found |= {(node.name, one.name) for one in node.body if isinstance(one, functions)}
    return found


def test_every_library_that_the_architecture_names_is_used_in_its_room_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z]+)/?` \| (.*) \|$", _chapter("Dependencies"), re.MULTILINE)
    told = {room: {_import_name(name) for name in names.split(", ")} for room, names in rows}
    used: dict[str, set[str]] = {}
    for path in (ROOT / "passerelle").rglob("*.py"):
        room = path.relative_to(ROOT / "passerelle").parts[0].removesuffix(".py")
        used.setdefault(room, set()).update(_imported(path) - EVERYWHERE)
    assert told == {room: names for room, names in used.items() if names}


EVERYWHERE = {"structlog", "pydantic", "passerelle"}


def _import_name(library: str) -> str:
    plain = library.lower().replace("sqlalchemy core", "sqlalchemy").replace("-", "_")
    return plain.partition(".")[0]


def _imported(path: Path) -> set[str]:
    """Give the third-party libraries that a file imports."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
