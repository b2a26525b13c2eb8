"""The search parameters that one record has: those of the table, and those added to it.

https://hl7.org/fhir/R4/searchparameter.html . A registry is a value of one state of the record,
handed to what indexes and to what understands searches; ``STANDARD`` is the table alone. An added
parameter is indexed at write at once, and asked for once it is ready.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from passerelle.fhir.search import search_parameters
from passerelle.fhir.search.search_parameters import ANY, Parameter


class Added(NamedTuple):
    """A parameter that was added: whether old data is indexed, else how much, in per cent."""

    parameter: Parameter
    ready: bool
    percent: int = 100


class Registry:
    """The parameters of a record; ``stamp`` names its state, None that of no record.

    ``made`` keeps what others make of it, by type: a registry never changes, so that is as good
    as the registry itself.
    """

    __slots__ = ("_askable", "_by_type", "added", "made", "stamp")

    def __init__(self, stamp: int | None = None, added: Iterable[Added] = ()) -> None:
        """Take the parameters that were added."""
        self.stamp = stamp
        self.added = tuple(added)
        self.made: dict[str, Any] = {}
        self._by_type: dict[str, dict[str, Added]] = {}
        for each in self.added:
            self._by_type.setdefault(each.parameter.type, {})[each.parameter.code] = each
        self._askable: dict[str, Mapping[str, Parameter]] = {}

    def of_type(self, type: str) -> tuple[Added, ...]:
        """Give the added parameters that a type has, those of every type included."""
        if not self._by_type:
            return ()
        common = self._by_type.get(ANY, {}) if type != ANY else {}
        return (*common.values(), *self._by_type.get(type, {}).values())

    def parameters(self, type: str) -> Mapping[str, Parameter]:
        """Give the parameters of a type that may be asked for, by code."""
        if not self._by_type:
            return search_parameters.parameters(type)
        found = self._askable.get(type)
        if found is None:
            ready = {e.parameter.code: e.parameter for e in self.of_type(type) if e.ready}
            found = MappingProxyType({**ready, **search_parameters.parameters(type)})
            self._askable[type] = found
        return found

    def waiting(self, type: str, code: str) -> int | None:
        """Give how much of old data is indexed, of a parameter that is not ready; else None."""
        for each in self.of_type(type):
            if each.parameter.code == code and not each.ready:
                return each.percent
        return None

    @property
    def is_waiting(self) -> bool:
        """Tell whether any parameter is not ready."""
        return any(not each.ready for each in self.added)


STANDARD = Registry()
"""The parameters of the table, and no others."""
