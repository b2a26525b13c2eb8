"""What people read of a command: lines, tables and issues, or JSON with ``--json``.

French first; English with ``PASSERELLE_LANG=en``. What comes from elsewhere is printed without its
control characters, which a terminal would obey (https://cwe.mitre.org/data/definitions/150.html).
"""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from passerelle.errors.refusals import Issue

DONE, REFUSED, UNREACHABLE = 0, 1, 2
"""Exit codes: done; refused or invalid; wrong usage or nobody answers."""

JsonOption = Annotated[
    bool, typer.Option("--json", help="Écrit du JSON, pour les programmes, plutôt qu'un texte.")
]

_SEVERITIES = {
    "fatal": ("fatal", "fatal", typer.colors.RED),
    "error": ("erreur", "error", typer.colors.RED),
    "warning": ("alerte", "warning", typer.colors.YELLOW),
    "information": ("information", "information", typer.colors.BLUE),
}
_PIPE_WIDTH = 1000
"""Columns where no terminal folds the lines."""


def english() -> bool:
    """Tell whether English is asked for."""
    return os.environ.get("PASSERELLE_LANG", "fr").lower().startswith("en")


def told(fr: str, en: str) -> str:
    """Give the text in the language asked for."""
    return en if english() else fr


def clean(text: object) -> str:
    """Give a text on one line without control characters."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def line(fr: str, en: str, *, good: bool | None = None) -> None:
    """Print a line, green when good, red when not, plain when neither."""
    colour = {True: typer.colors.GREEN, False: typer.colors.RED, None: None}[good]
    typer.secho(clean(told(fr, en)), fg=colour)


def table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[object]]) -> None:
    """Print a table with its column names (French, English); an absent cell is left empty."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for fr, en in columns:
        shown.add_column(told(fr, en), overflow="fold")
    for row in rows:
        shown.add_row(*(Text("" if cell is None else clean(cell)) for cell in row))
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    Console(width=width, highlight=False).print(shown)


def as_json(value: Any) -> None:
    """Print a value as indented JSON, decimals as they came."""
    from passerelle.fhir.json_text import encode

    raw_json(encode(value))


def raw_json(body: bytes, *, indent: int = 2) -> None:
    """Print JSON text indented, with every number as it is written there."""
    import msgspec

    typer.echo(msgspec.json.format(body, indent=indent).decode())


def issue_json(found: Issue) -> dict[str, Any]:
    """Give an issue as a JSON object; its line and column where they are known."""
    place = {"line": found.line, "column": found.column} if found.line is not None else {}
    return {
        "severity": found.severity,
        "code": found.code,
        "rule": found.rule,
        "text": told(found.text, found.text_en),
        "expression": found.expression,
        **place,
    }


def issues(found: Iterable[Issue], *, json: bool = False, err: bool = False) -> None:
    """Print issues: severity, slug and place, then the text; with ``json`` one object of all."""
    if json:
        as_json({"issues": [issue_json(entry) for entry in found]})
        return
    for entry in found:
        fr, en, colour = _SEVERITIES[entry.severity]
        place = told(f"ligne {entry.line}", f"line {entry.line}") if entry.line else ""
        head = [told(fr, en), entry.rule, entry.expression or "", place]
        typer.secho(clean("  ".join(part for part in head if part)), fg=colour, err=err)
        typer.echo("    " + clean(told(entry.text, entry.text_en)), err=err)


def has_errors(found: Iterable[Issue]) -> bool:
    """Tell whether any of the issues refuses."""
    return any(entry.severity in ("fatal", "error") for entry in found)


def stop(code: int, *found: Issue, json: bool = False) -> typer.Exit:
    """Print issues and make the exit to raise; with ``json`` on standard output."""
    issues(found, json=json, err=not json)
    return typer.Exit(code)
