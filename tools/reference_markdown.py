"""What the reference pages are written with: titles, tables, cells."""

from collections.abc import Iterable, Sequence

GENERATED = "<!-- Written by `make docs` from the code. Do not edit. -->"


def page(title: str, *blocks: str) -> str:
    """Join a page: the mark of generation, its title, its blocks."""
    return "\n\n".join((GENERATED, f"# {title}", *(block for block in blocks if block))) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; cells are Markdown already, only what would break the row is escaped."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(map(cell, row))} |" for row in rows]
    return "\n".join(lines)


def cell(text: str) -> str:
    """Put a text on one line of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Write a text as code, whatever backticks it holds; nothing for nothing."""
    spelled = str(text)
    if not spelled:
        return ""
    fence = "``" if "`" in spelled else "`"
    return f"{fence}{spelled}{fence}"


def codes(texts: Iterable[object]) -> str:
    """Write several texts as code, with commas between."""
    return ", ".join(code(text) for text in texts)


def anchor(title: str) -> str:
    """Give the fragment by which a title is linked to, as GitHub makes it."""
    kept = (letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return "".join(kept).replace(" ", "-")
