"""`$lastn`: the last few Observations of each kind that a search finds.

https://hl7.org/fhir/R4/observation-operation-lastn.html
"""

from urllib.parse import urlencode

from passerelle.api.rest import responses
from passerelle.api.rest.operation import R4_DEFINITION, Invocation, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.operations.lastn import SCANNED_MAX, last
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import bundle
from passerelle.fhir.conformance import structure
from passerelle.fhir.search.query import parse

MOST_MAX = 100
PAGE = 500
OURS = ("max", "_sort", "_count", "_cursor", "_include", "_revinclude", "_total", "_summary")


async def last_of_each(repository: Repository, asked: Invocation) -> Reply:
    """Give the last ``max`` Observations (one, by default) of each kind, the latest first."""
    pairs = [*asked.request.pairs(), *_body_pairs(asked)]
    given = [value for name, value in pairs if name == "max"]
    if len(given) > 1 or not all(each.isascii() and each.isdigit() and int(each) for each in given):
        raise Invalid(issue("operation.input-malformed", "max", name="max", kind="positiveInt"))
    most = min(int(given[0]), MOST_MAX) if given else 1
    criteria = [pair for pair in pairs if pair[0].partition(":")[0] not in OURS]
    base = repository.gateway.base_url
    query = parse(
        "Observation",
        [*criteria, ("_sort", "-date"), ("_count", str(PAGE))],
        strict=True,
        base_url=base,
        registry=repository.gateway.store.parameters.registry,
    )
    found = await last(repository, query, most)
    said = (issue("operation.lastn-bounded", count=SCANNED_MAX),) if found.bounded else ()
    return responses.fhir(
        bundle.searchset(
            base,
            [bundle.Found(each.key, each.body or b"{}") for each in found.found],
            self_url=f"{base}/Observation/$lastn?{urlencode([*criteria, ('max', str(most))])}",
            total=len(found.found),
            issues=said,
        )
    )


def _body_pairs(asked: Invocation) -> list[tuple[str, str]]:
    """Give the parameters of a body as those of an address. Raises Invalid for what is no text."""
    if asked.body is not None:
        structure.demand(asked.body, entries=False)
    pairs = []
    for number, each in enumerate((asked.body or {}).get("parameter", ())):
        place = f"Parameters.parameter[{number}]"
        value = next((each[name] for name in each if name.startswith("value")), None)
        if not isinstance(each.get("name"), str) or not isinstance(value, str | int):
            raise Invalid(issue("operation.input-malformed", place, name="?", kind="string"))
        pairs.append((each["name"], str(value)))
    return pairs


OPERATIONS = (
    Operation(
        "lastn",
        R4_DEFINITION + "Observation-lastn",
        frozenset({"type"}),
        last_of_each,
        types=frozenset({"Observation"}),
        inputs=None,
    ),
)
