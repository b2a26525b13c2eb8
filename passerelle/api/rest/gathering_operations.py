"""Operations that gather resources: `$everything`, `$document`, `$lastn`.

https://hl7.org/fhir/R4/operationslist.html
"""

from urllib.parse import urlencode

from passerelle.api.errors import NotAllowedHere
from passerelle.api.rest import responses
from passerelle.api.rest.operation import R4_DEFINITION, Invocation, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.operations.document import document as compose
from passerelle.dossiers.operations.everything import everything
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid, NotSupported
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.bundles import bundle
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.references import is_id
from passerelle.fhir.resource import Key
from passerelle.fhir.search.date_interval import Interval, interval
from passerelle.fhir.search.query_results import COUNT_DEFAULT, COUNT_MAX
from passerelle.fhir.urls import PASSERELLE
from passerelle.store.gathering import Everything

PAGED = (
    Input("_since", "instant"),
    Input("_type", "code", max=None),
    Input("_count", "integer"),
    Input("_cursor"),
)
"""``_cursor`` is ours: where the page before ended."""


async def gather(repository: Repository, asked: Invocation) -> Reply:
    """Give a page of all that is about a resource, or about all of its type."""
    types = _types(asked.every("_type"))
    count = max(1, min(asked.one("_count", COUNT_DEFAULT), COUNT_MAX))
    start, end, since = (asked.one(name) for name in ("start", "end", "_since"))
    page = await everything(
        repository,
        Everything(
            asked.type,
            asked.id or None,
            count,
            types,
            None if start is None else _moment("start", start).low,
            None if end is None else _moment("end", end).high,
            None if since is None else _moment("_since", since).low,
            asked.one("_cursor"),
        ),
    )
    base = repository.gateway.base_url
    path = "/".join(part for part in (base, asked.type, asked.id, "$everything") if part)
    pairs = [(name, value) for name, value in (("start", start), ("end", end)) if value]
    pairs += [("_since", since)] if since else []
    pairs += [("_type", ",".join(types))] if types else []
    pairs.append(("_count", str(count)))
    cursor = asked.one("_cursor")
    return responses.fhir(
        bundle.searchset(
            base,
            [bundle.Found(version.key, version.body or b"{}") for version in page.matches],
            self_url=_address(path, pairs, cursor),
            next_url=None if page.next is None else _address(path, pairs, page.next),
        )
    )


async def document(repository: Repository, asked: Invocation) -> Reply:
    """Give the document of a Composition; with ``persist`` it is kept as a Bundle as well.

    https://hl7.org/fhir/R4/composition-operation-document.html
    """
    if asked.one("graph") is not None:
        raise NotSupported(issue("http.not-there-yet", what="$document graph"))
    base = repository.gateway.base_url
    named = asked.one("id")
    if (named is None) == (asked.level == "type"):
        raise Invalid(issue("operation.document-elsewhere", "id"))
    key = asked.key
    if named is not None:
        found = key_of(named, base) if "/" in named else Key("Composition", named)
        if found is None or found.type != "Composition" or not is_id(found.id):
            raise Invalid(issue("operation.document-elsewhere", "id"))
        key = found
    persist = asked.one("persist", False)
    if persist and asked.request.method != "POST":
        raise NotAllowedHere(("POST",))
    made = await compose(repository, key)
    if not persist:
        return responses.fhir(made)
    outcome = await repository.create(json_text.decode(made))
    assert outcome.version is not None  # a create keeps something
    version = outcome.version
    location = bundle.outcome_location(base, version.key, version.version)
    return responses.served(version, more=((b"location", location.encode()),))


def _address(path: str, pairs: list[tuple[str, str]], cursor: str | None) -> str:
    more = [] if cursor is None else [("_cursor", cursor)]
    return f"{path}?{urlencode([*pairs, *more], safe=',:')}"


def _moment(name: str, text: str) -> Interval:
    """Read a moment as a search does. Raises Invalid."""
    found = interval(text)
    if found is None:
        raise Invalid(issue("operation.input-malformed", name, name=name, kind="date"))
    return found


def _types(listed: list[str]) -> tuple[str, ...]:
    """Read types, several to a comma. Raises Invalid for what is none."""
    types = tuple(dict.fromkeys(name for each in listed for name in each.split(",") if name))
    if not resource_types().issuperset(types):
        raise Invalid(issue("http.type-unknown", "_type"))
    return types


OPERATIONS = (
    Operation(
        "document",
        R4_DEFINITION + "Composition-document",
        frozenset({"type", "instance"}),
        document,
        types=frozenset({"Composition"}),
        inputs=(Input("id", "uri"), Input("persist", "boolean"), Input("graph", "uri")),
        may_write=True,
    ),
    Operation(
        "everything",
        R4_DEFINITION + "Patient-everything",
        frozenset({"type", "instance"}),
        gather,
        types=frozenset({"Patient"}),
        inputs=(Input("start", "date"), Input("end", "date"), *PAGED),
    ),
    Operation(
        "everything",
        R4_DEFINITION + "Encounter-everything",
        frozenset({"instance"}),
        gather,
        types=frozenset({"Encounter"}),
        inputs=(Input("start", "date"), Input("end", "date"), *PAGED),
    ),
    Operation(
        "everything",
        PASSERELLE + "/OperationDefinition/EpisodeOfCare-everything",
        frozenset({"instance"}),
        gather,
        types=frozenset({"EpisodeOfCare"}),
        inputs=(Input("start", "date"), Input("end", "date"), *PAGED),
        title="Tout ce qui se rapporte à un épisode de prise en charge",
    ),
)
