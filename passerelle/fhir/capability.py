"""What the gateway can do, said from the tables that it is done with.

https://hl7.org/fhir/R4/capabilitystatement.html and https://hl7.org/fhir/R4/http.html
#capabilities . Nothing is claimed that is not in the tables handed in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from passerelle.fhir.search.search_parameters import Parameter

FHIR_VERSION = "4.0.1"


class Operation(NamedTuple):
    """An operation of a type, or of the system (no type): name without ``$`` and definition."""

    type: str
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Ability:
    """The tables that the statement is made of.

    ``type_interactions`` and ``system_interactions`` are codes of
    https://hl7.org/fhir/R4/valueset-type-restful-interaction.html , the same for every type;
    ``conditions`` are elements of ``rest.resource`` such as ``conditionalCreate``;
    ``profiles`` are those that what declares them is held to, by type;
    ``includable`` tells whether `_include` follows a parameter.
    """

    types: Iterable[str]
    type_interactions: Sequence[str]
    system_interactions: Sequence[str]
    conditions: Mapping[str, bool | str | list[str]]
    parameters: Callable[[str], Mapping[str, Parameter]]
    operations: Sequence[Operation] = ()
    compartments: Sequence[str] = ()
    patch_formats: Sequence[str] = ()
    documentation: str = ""
    profiles: Mapping[str, Sequence[str]] = field(default_factory=dict)


def statement(ability: Ability, *, base_url: str, software_version: str, date: str) -> bytes:
    """Write the CapabilityStatement; ``date`` is when the abilities were last changed."""
    types = sorted(ability.types)
    reversed_includes = _reversed_includes(ability, types)
    return msgspec.json.encode(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": date,
            "kind": "instance",
            "software": {"name": "Passerelle", "version": software_version},
            "implementation": {
                "description": "Passerelle : coordination des soins, HL7 FHIR R4",
                "url": base_url,
            },
            "fhirVersion": FHIR_VERSION,
            "format": ["json", "application/fhir+json", "xml", "application/fhir+xml"],
            **({"patchFormat": list(ability.patch_formats)} if ability.patch_formats else {}),
            "rest": [
                {
                    "mode": "server",
                    **({"documentation": ability.documentation} if ability.documentation else {}),
                    "resource": [
                        _resource(ability, type_, reversed_includes.get(type_, ()))
                        for type_ in types
                    ],
                    "interaction": [{"code": code} for code in ability.system_interactions],
                    **_compartments(ability),
                    **_operations(ability, ""),
                }
            ],
        }
    )


def _compartments(ability: Ability) -> dict[str, list[str]]:
    """Claim the compartments that can be searched, by the addresses of their definitions."""
    if not ability.compartments:
        return {}
    address = "http://hl7.org/fhir/CompartmentDefinition/"
    return {"compartment": [address + code.lower() for code in ability.compartments]}


def _resource(ability: Ability, type_: str, rev_includes: Sequence[str]) -> dict[str, Any]:
    """Claim one type: its interactions, conditions, parameters, includes and operations."""
    parameters = ability.parameters(type_)
    profiles = ability.profiles.get(type_, ())
    claimed: dict[str, Any] = {
        "type": type_,
        **({"supportedProfile": list(profiles)} if profiles else {}),
        "interaction": [{"code": code} for code in ability.type_interactions],
        **ability.conditions,
    }
    includes = [f"{type_}:{code}" for code, each in parameters.items() if each.kind == "reference"]
    if includes:
        claimed["searchInclude"] = includes
    if rev_includes:
        claimed["searchRevInclude"] = list(rev_includes)
    if parameters:
        claimed["searchParam"] = [
            {"name": code, "definition": each.url, "type": each.kind}
            for code, each in sorted(parameters.items())
        ]
    return claimed | _operations(ability, type_)


def _operations(ability: Ability, type_: str) -> dict[str, Any]:
    """Claim the operations of a type, or of the system; no element when there are none."""
    claimed = [
        {"name": each.name, "definition": each.definition}
        for each in ability.operations
        if each.type == type_
    ]
    return {"operation": claimed} if claimed else {}


def _reversed_includes(ability: Ability, types: Sequence[str]) -> dict[str, list[str]]:
    """Give for each type the references of all types that may lead to it."""
    found: dict[str, list[str]] = {}
    for source in types:
        for code, each in ability.parameters(source).items():
            if each.kind == "reference":
                for target in each.targets:
                    found.setdefault(target, []).append(f"{source}:{code}")
    return found
