"""The OperationDefinition of an operation, written from what the gateway knows of it.

https://hl7.org/fhir/R4/operationdefinition.html
"""

from collections.abc import Collection, Sequence

from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.resource import Resource


def definition(
    url: str,
    code: str,
    *,
    levels: Collection[str],
    types: Collection[str] | None,
    inputs: Sequence[Input],
    returns: str,
    affects_state: bool,
    title: str,
) -> Resource:
    """Give the definition at ``url``; ``returns`` is the type of the one output.

    Its id is the end of its canonical address; no ``types`` stands for every one.
    """
    id_ = url.rpartition("/")[2]
    return {
        "resourceType": "OperationDefinition",
        "id": id_,
        "url": url,
        "name": "".join(part.capitalize() for part in id_.split("-")),
        "title": title,
        "status": "active",
        "kind": "operation",
        "affectsState": affects_state,
        "code": code,
        "resource": sorted(types) if types is not None else ["Resource"],
        "system": "system" in levels,
        "type": "type" in levels,
        "instance": "instance" in levels,
        "parameter": [
            *map(_input, inputs),
            {"name": "return", "use": "out", "min": 1, "max": "1", "type": returns},
        ],
    }


def _input(given: Input) -> Resource:
    return {
        "name": given.name,
        "use": "in",
        "min": 1 if given.required else 0,
        "max": "*" if given.max is None else str(given.max),
        "type": given.kind,
    }
