"""Views of a person: `$ligne-de-vie`, what is dated about it; `$cercle-de-soins`, who cares for it.

https://hl7.org/fhir/R4/operations.html . Nobody else defines them; so do we.
"""

from urllib.parse import urlencode

from passerelle.api.rest import responses
from passerelle.api.rest.operation import Invocation, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.operations.circle_of_person import circle_of
from passerelle.dossiers.operations.life_line import life_line
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.bundles import bundle
from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.search.date_interval import Interval, interval
from passerelle.fhir.search.life_line_scope import KINDS
from passerelle.fhir.search.query_results import COUNT_DEFAULT, COUNT_MAX
from passerelle.fhir.urls import PASSERELLE
from passerelle.mappers.native.dossier_naming import own_uuid
from passerelle.store.gathering import LifeLine

ORDERS = {"date": False, "-date": True}
"""What ``_sort`` may say, and whether the latest comes first."""


async def line_of(repository: Repository, asked: Invocation) -> Reply:
    """Give a page of what is dated about a patient, in the order of its dates."""
    count = max(1, min(asked.one("_count", COUNT_DEFAULT), COUNT_MAX))
    start, end, order = asked.one("start"), asked.one("end"), asked.one("_sort", "date")
    kinds, cursor = _kinds(asked.every("kind")), asked.one("_cursor")
    if order not in ORDERS:
        raise Invalid(issue("operation.input-malformed", "_sort", name="_sort", kind="date, -date"))
    page = await life_line(
        repository,
        asked.id,
        LifeLine(
            patients=(),
            count=count,
            kinds=kinds,
            start=None if start is None else moment("start", start).low,
            end=None if end is None else moment("end", end).high,
            latest_first=ORDERS[order],
            cursor=cursor,
        ),
    )
    base = repository.gateway.base_url
    pairs = [(name, value) for name, value in (("start", start), ("end", end)) if value]
    pairs += [("kind", ",".join(kinds))] if kinds else []
    pairs += [("_sort", order), ("_count", str(count))]
    path = f"{base}/Patient/{asked.id}/$ligne-de-vie"
    return responses.fhir(
        bundle.searchset(
            base,
            [bundle.Found(version.key, version.body or b"{}") for version in page.matches],
            self_url=address(path, pairs, cursor),
            next_url=None if page.next is None else address(path, pairs, page.next),
        )
    )


async def circle_for(repository: Repository, asked: Invocation) -> Reply:
    """Give the consolidated circle of a patient, now or ``at`` a moment, as a collection."""
    said = asked.one("at")
    now = repository.gateway.clock()
    at = Interval(now, now + 1) if said is None else moment("at", said)
    team, versions = await circle_of(repository, asked.id, at)
    found = [bundle.Found(version.key, version.body or b"{}") for version in versions]
    address = f"urn:uuid:{own_uuid('CareTeam', PASSERELLE, f'{asked.id}|{at.low}|{at.high}')}"
    made = json_text.encode(team)
    return responses.fhir(bundle.collection(repository.gateway.base_url, [(address, made)], found))


def moment(name: str, text: str) -> Interval:
    """Read a moment as a search does. Raises Invalid."""
    found = interval(text)
    if found is None:
        raise Invalid(issue("operation.input-malformed", name, name=name, kind="date"))
    return found


def address(path: str, pairs: list[tuple[str, str]], cursor: str | None) -> str:
    """Write the address of a page."""
    more = [] if cursor is None else [("_cursor", cursor)]
    return f"{path}?{urlencode([*pairs, *more], safe=',:')}"


def _kinds(listed: list[str]) -> tuple[str, ...]:
    """Read kinds, several to a comma. Raises Invalid for what is none."""
    kinds = tuple(dict.fromkeys(name for each in listed for name in each.split(",") if name))
    if not set(kinds) <= set(KINDS):
        raise Invalid(
            issue("operation.input-malformed", "kind", name="kind", kind=", ".join(KINDS))
        )
    return kinds


OPERATIONS = (
    Operation(
        "ligne-de-vie",
        PASSERELLE + "/OperationDefinition/Patient-ligne-de-vie",
        frozenset({"instance"}),
        line_of,
        types=frozenset({"Patient"}),
        inputs=(
            Input("start", "date"),
            Input("end", "date"),
            Input("kind", "code", max=None),
            Input("_sort"),
            Input("_count", "integer"),
            Input("_cursor"),
        ),
        title="Ligne de vie : ce qui est daté d'une personne, dans l'ordre des dates",
    ),
    Operation(
        "cercle-de-soins",
        PASSERELLE + "/OperationDefinition/Patient-cercle-de-soins",
        frozenset({"instance"}),
        circle_for,
        types=frozenset({"Patient"}),
        inputs=(Input("at", "date"),),
        title="Cercle de soins d'une personne, tous dossiers confondus",
    ),
)
