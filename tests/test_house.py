"""The house itself: sizes, names, empty ``__init__``, docstrings, one file name one subject."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from passerelle.errors import rules

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "passerelle"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "definitions" not in path.parts)
LINES_MAX = 400
NAMES_OF_NOTHING = {
    "util", "utils", "common", "helper", "helpers", "misc", "manager", "base", "core", "service",
}  # fmt: skip


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_a_file_is_short_named_after_its_subject_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= LINES_MAX
    assert path.stem not in NAMES_OF_NOTHING
    assert ast.get_docstring(tree), "a module opens with what it is"


@pytest.mark.parametrize("path", [f for f in FILES if f.name == "__init__.py"], ids=str)
def test_an_init_holds_its_docstring_and_no_code(path: Path) -> None:
    assert len(ast.parse(path.read_text(encoding="utf-8")).body) == 1


def test_the_imports_of_the_house_go_one_way() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_rule_that_the_code_names_stands_in_the_table_and_every_rule_is_named() -> None:
    tables = [PACKAGE / "fhir/definitions/structures.json"]  # the keys of R4's invariants
    code = "\n".join(path.read_text(encoding="utf-8") for path in [*FILES, *tables])
    slugs = set(rules.table())
    families = {slug.split(".")[0] for slug in slugs}
    named = {
        found
        for found in re.findall(r'"([a-z]+\.[a-z0-9-]+)"', code)
        if found.split(".")[0] in families
    }
    called = {found for found in re.findall(r'\bissue\(\s*"([a-z.0-9-]+)"', code)}
    assert called <= slugs
    assert {slug for slug in slugs - named if f'"{slug.partition(".")[2]}"' not in code} == set()


def test_every_rule_has_a_french_and_an_english_text() -> None:
    for rule in rules.table().values():
        assert rule.fr
        assert rule.en
        assert rule.fr != rule.en
