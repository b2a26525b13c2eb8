"""One operation of the FHIR API as a value: where it stands, what it takes, who answers it.

https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.resource import Key, Resource

Level: TypeAlias = Literal["system", "type", "instance"]

R4_DEFINITION = "http://hl7.org/fhir/OperationDefinition/"
"""Base of the canonical addresses of the operations that R4 defines."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of an operation: where, with which inputs.

    ``type`` is empty at system level, ``id`` everywhere but on an instance. ``values`` holds the
    declared inputs by name, ``body`` the Parameters as they came (None: there was no body);
    ``bare``: it was the resource itself.
    """

    level: Level
    type: str
    id: str
    values: Mapping[str, list[Any]]
    body: Resource | None
    request: Request
    bare: bool = False

    @property
    def key(self) -> Key:
        """The instance that is asked."""
        return Key(self.type, self.id)

    def one(self, name: str, default: Any = None) -> Any:
        """Give the first value of an input, or the default."""
        found = self.values.get(name)
        return found[0] if found else default

    def every(self, name: str) -> list[Any]:
        """Give all values of an input."""
        return self.values.get(name, [])


OperationHandler: TypeAlias = Callable[[Repository, Invocation], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its name without ``$``, its levels, its types (None: every type), its inputs.

    ``affects_state``: it is asked by POST only; ``may_write``: one of its inputs has it write.
    ``inputs`` None: the handler reads the Parameters itself, and ``described`` tells its inputs.
    ``definition`` is the canonical address of its OperationDefinition; of what we define ourselves
    ``returns`` and ``title`` are told there.
    """

    name: str
    definition: str
    levels: frozenset[Level]
    handler: OperationHandler
    types: frozenset[str] | None = None
    inputs: tuple[Input, ...] | None = ()
    affects_state: bool = False
    may_write: bool = False
    returns: str = "Bundle"
    title: str = ""
    described: tuple[Input, ...] = ()

    def stands(self, level: Level, type: str) -> bool:
        """Tell whether it is asked at that level and of that type."""
        return level in self.levels and (
            level == "system" or self.types is None or type in self.types
        )

    def takes_bare_resource(self) -> bool:
        """Tell whether a body may be the resource itself: its one resource input of that name."""
        given = [each for each in self.inputs or () if each.kind == "Resource"]
        return len(given) == 1 and given[0].name == "resource"
