"""Full text as SQL: an expression of words becomes one of FTS5 or a tsquery, handed as an argument.

https://www.sqlite.org/fts5.html#full_text_query_syntax ,
https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY . It is made of
folded words only, each between quotation marks: nothing a caller writes can be read otherwise.
"""

from collections.abc import Hashable
from typing import Any

from sqlalchemy import ColumnElement, Text, cast
from sqlalchemy.dialects.postgresql import TSQUERY

from passerelle.fhir.search.full_text_query import FullTextValue, Phrase, Tree
from passerelle.fhir.search.full_text_words import MARK
from passerelle.store.search_sql.search_values import Arguments, Bind, Face, Source

_TEXT = Text()


def fts5_expression(tree: Tree) -> str:
    """Spell an expression for SQLite; a denial there needs something that it takes away from."""
    if isinstance(tree, Phrase):
        return f'"{" ".join(tree.words)}"' + (" *" if tree.begins else "")
    if tree.operator == "not":
        return f'("{MARK}" NOT {fts5_expression(tree.parts[0])})'
    return "(" + f" {tree.operator.upper()} ".join(map(fts5_expression, tree.parts)) + ")"


def ts_expression(tree: Tree) -> str:
    """Spell an expression for PostgreSQL."""
    if isinstance(tree, Phrase):
        words = " <-> ".join(f"'{word}'" for word in tree.words) + (":*" if tree.begins else "")
        return f"({words})"
    if tree.operator == "not":
        return f"!{ts_expression(tree.parts[0])}"
    sign = " & " if tree.operator == "and" else " | "
    return "(" + sign.join(map(ts_expression, tree.parts)) + ")"


def _shape(value: FullTextValue, modifier: str) -> Hashable:
    return value.column


def _arguments(value: FullTextValue, modifier: str) -> Arguments:
    """Give the expression for both databases: which one it is, is not known here."""
    return fts5_expression(value.tree), ts_expression(value.tree)


def _condition(
    table: Source, shape: Any, modifier: str, bind: Bind, dialect: str
) -> ColumnElement[bool]:
    """Write that a text holds what is asked for."""
    fts5, ts = bind(_TEXT), bind(_TEXT)
    if dialect == "sqlite":
        found: ColumnElement[bool] = table.c[shape].bool_op("MATCH")(fts5)
        return found
    found = table.c[shape].bool_op("@@")(cast(cast(ts, Text), TSQUERY))
    return found


FULL_TEXT = Face("full_text", _shape, _arguments, condition=_condition)
