"""The page of interactions: what the CapabilityStatement claims and what is refused by name."""

from collections.abc import Iterator
from typing import cast

from passerelle.api import application
from passerelle.api.metrics import Metrics
from passerelle.api.rest import fhir_routes, operations
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.fhir.capability import FHIR_VERSION
from passerelle.fhir.conformance.structure_table import resource_types
from tools.reference_markdown import code, codes, page, table


def write() -> str:
    """Write the page."""
    return page(
        "Interactions",
        f"FHIR {FHIR_VERSION}, JSON and XML (`Accept`, `_format`, `Content-Type`), refusals too; "
        "what is kept is JSON. `GET /fhir/metadata` says the same as a CapabilityStatement, "
        "made from the same tables.",
        "## Claimed",
        table(("What", "Claimed"), _claims()),
        "## Operations",
        "By `POST` with a Parameters resource, or with the resource alone where `resource` is "
        "what they take; by `GET` where nothing is changed. An operation that is not here is "
        "refused by its name.",
        table(("Operation", "Asked of", "Takes", "Changes the record", "Definition"), _asked()),
        "## Answered under the FHIR base",
        "`HEAD` is answered wherever `GET` is.",
        table(("Method", "Address", "Interaction"), _answered()),
        "## Answered later",
        "What reads at length follows `Prefer: respond-async` "
        "(https://hl7.org/fhir/R4/async.html): `GET` of a search, a history, or an operation that "
        "changes nothing, `POST` of `_search` and of such an operation. It is answered 202, with "
        "a status address in `Content-Location`: 202 with `X-Progress` and `Retry-After` as long "
        "as it is worked on; then 200 with the manifest (`transactionTime`, `request`, "
        "`requiresAccessToken`, `output`, `error`) and `Expires`, or the refusal; 404 once it was "
        "forgotten, by its time or by `DELETE`. Its files are NDJSON, of one type each, all pages "
        "in one; a Bundle that says more than its resources (a history, a score, a count) stays "
        "one line. `_outputFormat` may name NDJSON. It is told to its caller alone.",
        "A read of one resource, a write, a batch and a transaction are answered in place, and so "
        "is everything by a process without a worker (`passerelle serve --no-worker`): then there "
        "is no `Preference-Applied`.",
        "## Known, refused by name",
        "These are of R4 and not there yet: status 501, rule `http.not-there-yet`. Any other "
        "method is refused with status 405 and the methods that are allowed.",
        table(("Method", "Address", "Interaction"), _coming()),
        "## Beside the FHIR base",
        table(("Method", "Address", "Parameters", "What (in French)"), _others()),
    )


def _claims() -> Iterator[tuple[str, str]]:
    yield "types", f"all {len(resource_types())} resource types of R4"
    yield "each type", codes(fhir_routes.TYPE_INTERACTIONS)
    yield "the system", codes(fhir_routes.SYSTEM_INTERACTIONS)
    for name, value in fhir_routes.conditions(WritingPolicy()).items():
        said = codes(value) if isinstance(value, list) else code(str(value))
        yield code(name), str(value).lower() if isinstance(value, bool) else said


def _asked() -> Iterator[tuple[str, str, str, str, str]]:
    for each in operations.OPERATIONS:
        types = "every type" if each.types is None else codes(sorted(each.types))
        places = [level for level in ("system", "type", "instance") if level in each.levels]
        taken = "Parameters" if each.inputs is None else codes(one.name for one in each.inputs)
        changes = "yes" if each.affects_state else "no"
        where = ", ".join(places)
        yield (
            code("$" + each.name),
            where if places == ["system"] else f"{types} ({where})",
            taken,
            changes,
            code(each.definition),
        )


def _answered() -> Iterator[tuple[str, str, str]]:
    yield "GET", code(fhir_routes.METADATA), "capabilities"
    for address, routes in fhir_routes.ROUTES.items():
        for method, route in routes.items():
            both = "transaction, batch" if route.code == "transaction" else route.code
            yield method, code(address), both


def _coming() -> Iterator[tuple[str, str, str]]:
    for address, methods in fhir_routes.NOT_THERE_YET.items():
        for method, name in methods.items():
            yield method, code(address), name


def _others() -> Iterator[tuple[str, str, str, str]]:
    """Read the addresses off the application, which asks nothing of its gateway to be built."""
    nobody = cast(Gateway, None)
    built = application.build(nobody, Metrics(), body_limit=1, software_version="0")
    for address, methods in built.openapi()["paths"].items():
        for method, operation in methods.items():
            asked = (p["name"] for p in operation.get("parameters", ()) if p["in"] == "query")
            yield method.upper(), code(address), codes(asked), operation.get("summary", "")
    yield "GET", code("/docs"), "", "Ce qui peut être demandé, sur une page, avec des exemples"
