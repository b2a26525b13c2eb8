"""fhirstarter with everything in memory: what is run in the peer's own environment.

As the README of https://github.com/canvas-medical/fhirstarter shows it: a provider for each type,
R4B models, uvloop. It keeps dictionaries by id, by identifier and by family name.
Run as ``python fhirstarter_app.py PORT`` with ``FHIR_SEQUENCE=R4B``.
"""

import importlib
import sys
import uuid
from typing import Any

import uvicorn
from fhirstarter import FHIRProvider, FHIRStarter, InteractionContext
from fhirstarter.exceptions import FHIRResourceNotFoundError

TYPES = (
    "Patient", "Location", "Organization", "Practitioner", "Encounter", "Observation",
    "MedicationRequest", "Claim", "ExplanationOfBenefit",
)  # fmt: skip
PAGE_MAX = 100


def model_of(type_: str) -> Any:
    return getattr(importlib.import_module(f"fhir.resources.R4B.{type_.lower()}"), type_)


Bundle = model_of("Bundle")


class Shelf:
    """The resources of one type."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.by_identifier: dict[tuple[str, str], str] = {}

    def put(self, id_: str, resource: Any) -> Any:
        resource.id = id_
        self.kept[id_] = resource
        for each in getattr(resource, "identifier", None) or ():
            self.by_identifier[(str(each.system), str(each.value))] = id_
        return resource

    def get(self, id_: str) -> Any:
        try:
            return self.kept[id_]
        except KeyError:
            raise FHIRResourceNotFoundError from None

    def having(self, identifier: str) -> list[Any]:
        system, _, value = identifier.partition("|")
        id_ = self.by_identifier.get((system, value))
        return [] if id_ is None else [self.kept[id_]]

    def named(self, prefix: str) -> list[Any]:
        found = []
        for resource in self.kept.values():
            if any((name.family or "").casefold().startswith(prefix) for name in resource.name):
                found.append(resource)
                if len(found) == PAGE_MAX:
                    break
        return found


def provider_of(type_: str) -> FHIRProvider:
    model, shelf, provider = model_of(type_), Shelf(), FHIRProvider()

    @provider.create(model)
    async def create(context: InteractionContext, resource: model) -> model:
        return shelf.put(str(uuid.uuid4()), resource)

    @provider.read(model)
    async def read(context: InteractionContext, id_: str) -> model:
        return shelf.get(id_)

    @provider.update(model)
    async def update(context: InteractionContext, id_: str, resource: model) -> model:
        return shelf.put(id_, resource)

    @provider.delete(model)
    async def delete(context: InteractionContext, id_: str) -> None:
        shelf.kept.pop(id_, None)

    if type_ == "Patient":

        @provider.search_type(model)
        async def search(
            context: InteractionContext, identifier: str | None = None, family: str | None = None
        ) -> Bundle:
            found = shelf.having(identifier) if identifier else shelf.named(family or "")
            entry = [{"resource": resource} for resource in found[:10]]
            return Bundle(type="searchset", total=len(found), entry=entry)

    return provider


def main() -> None:
    app = FHIRStarter()
    app.add_providers(*(provider_of(type_) for type_ in TYPES))
    options = {"log_level": "error", "access_log": False, "loop": "uvloop"}
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), **options)


if __name__ == "__main__":
    main()
