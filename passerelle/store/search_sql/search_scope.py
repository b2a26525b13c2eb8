"""What a statement of a search is written with: rows, dialect, places of arguments, aliases."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, literal_column, select
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import DialectName


class Scope:
    """One statement as it is written; ``place`` is that of the next argument.

    What is written twice with the same arguments sets ``place`` back before the second time.
    """

    def __init__(self, rows: Rows, dialect: DialectName) -> None:
        """Start a statement."""
        self.rows = rows
        self.dialect = dialect
        self.place = 0
        self.is_driven = True  # rows are looked up one by one, as something else leads to them
        self.budget = 0  # rows that are counted up to
        self._aliases = 0

    def bind(self, type: TypeEngine[Any]) -> ColumnElement[Any]:
        """Give the place of the next argument."""
        place = bindparam(f"a{self.place}", type_=type)
        self.place += 1
        return place

    def unseen(self, place: ColumnElement[Any]) -> ColumnElement[Any]:
        """Keep the planner of PostgreSQL from looking at an argument.

        It then has nothing to plan anew for each value, and keeps the one plan that it made.
        """
        return place if self.dialect == "sqlite" else select(place).scalar_subquery()

    def row_by_row(self, probed: Select[Any]) -> Select[Any]:
        """Have PostgreSQL look up by its pid each row that is probed.

        Else it joins, and may begin with all that satisfy what is probed.
        """
        if self.dialect == "sqlite" or not self.is_driven:
            return probed
        return probed.offset(literal_column("0"))

    def unindexed(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Keep the planner of SQLite, which has no statistics, from using an index on a column."""
        if self.dialect != "sqlite":
            return column
        nothing = "0" if isinstance(column.type, Integer) else "''"
        return column + literal_column(nothing, column.type)

    def of_parameters_by_pid(
        self, table: FromClause, params: tuple[int, ...]
    ) -> ColumnElement[bool]:
        """Say that an index row of a known resource is of some parameters.

        PostgreSQL shall look it up by its pid, not go through all rows of the parameter: without
        statistics it thinks them few. SQLite's index by pid holds the parameter as well.
        """
        column: ColumnElement[Any] = table.c.param
        if self.dialect != "sqlite":
            column = column + literal_column("0", Integer())
        if len(params) == 1:
            return column == literal_column(str(params[0]))
        return column.in_([literal_column(str(param)) for param in params])

    def of_parameter_by_pid(self, table: FromClause, param: int) -> ColumnElement[bool]:
        """Say that an index row of a known resource is of a parameter, as above."""
        return self.of_parameters_by_pid(table, (param,))

    def name(self) -> str:
        """Give the name of one more look."""
        self._aliases += 1
        return f"t{self._aliases - 1}"

    def look(self, table: FromClause) -> FromClause:
        """Give one more look at a table."""
        return table.alias(self.name())

    def index(self, table: str) -> FromClause:
        """Give one more look at an index table by its name."""
        return self.look(getattr(self.rows, table))


def of_parameters(table: FromClause, params: tuple[int, ...]) -> ColumnElement[bool]:
    """Say that an index row is of some parameters; the ids stand in the text, for the planner."""
    if len(params) == 1:
        return table.c.param == literal_column(str(params[0]))
    return table.c.param.in_([literal_column(str(param)) for param in params])
