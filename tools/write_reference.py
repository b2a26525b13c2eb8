"""Write ``docs/reference/*.md`` from the code's own tables (``make docs``).

    python -m tools.write_reference [FOLDER]

The same code gives the same pages to the byte; ``tests/test_docs.py`` sees that the committed ones
are those.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from tools import (
    reference_commands,
    reference_database,
    reference_dossier,
    reference_interactions,
    reference_invariants,
    reference_refusals,
    reference_search,
    reference_settings,
    reference_transmission,
)
from tools.reference_markdown import page, table

FOLDER = Path(__file__).parents[1] / "docs/reference"

PAGES: dict[str, tuple[Callable[[], str], str]] = {
    "commands.md": (reference_commands.write, "every command, its options, an example"),
    "settings.md": (reference_settings.write, "every setting, its type and its default"),
    "interactions.md": (reference_interactions.write, "what is answered over HTTP, and what not"),
    "search-parameters.md": (reference_search.write, "what can be searched by, on which type"),
    "refusals.md": (reference_refusals.write, "every rule, with its French and its English text"),
    "invariants.md": (reference_invariants.write, "every invariant of R4, and who decides it"),
    "dossier-mapping.md": (reference_dossier.write, "each native field and where it goes in FHIR"),
    "transmission-states.md": (
        reference_transmission.write,
        "what becomes of a document sent by secure mail",
    ),
    "database.md": (reference_database.write, "tables and columns of the record"),
}
"""File name to what writes it and what it is."""


def pages() -> dict[str, str]:
    """Give every page by its file name, the index first."""
    rows = [(f"[{name}]({name})", what) for name, (_, what) in PAGES.items()]
    index = page(
        "Reference",
        "These pages are written from the code. `make docs` writes them again.",
        table(("Page", "What it lists"), rows),
    )
    return {"README.md": index, **{name: write() for name, (write, _) in PAGES.items()}}


def main(folder: Path) -> None:
    """Write the pages to a folder, and take away those that are no page any more."""
    written = pages()
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.md"):
        if stale.name not in written:
            stale.unlink()
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
