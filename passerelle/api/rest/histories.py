"""Histories: of a resource, of a type, of the system (https://hl7.org/fhir/R4/http.html#history).

Those of a type and of the system are feeds: whoever asks again with ``_since`` at the last instant
that was seen misses nothing, because they stay below the commit horizon.
"""

from urllib.parse import urlencode

from passerelle.api.rest import responses, subsets
from passerelle.api.rest.interactions import instance_key
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.fhir.bundles import bundle
from passerelle.fhir.history_query import HistoryQuery, parse
from passerelle.store.contract import HistoryPage


async def of_instance(repository: Repository, request: Request) -> Reply:
    """Answer ``GET [base]/[type]/[id]/_history``; its total is always said."""
    key = instance_key(request)
    return await _answer(repository, request, key.type, key.id)


async def of_type(repository: Repository, request: Request) -> Reply:
    """Answer ``GET [base]/[type]/_history``."""
    return await _answer(repository, request, request.type, None)


async def of_system(repository: Repository, request: Request) -> Reply:
    """Answer ``GET [base]/_history``."""
    return await _answer(repository, request, None, None)


async def _answer(
    repository: Repository, request: Request, type_: str | None, id_: str | None
) -> Reply:
    wanted = subsets.asked(request.pairs())
    pairs = wanted.rest
    if wanted.counted:
        pairs = [*(pair for pair in pairs if pair[0] != "_count"), ("_count", "0")]
    query = parse(type_, id_, pairs, strict=request.strict)
    page = await repository.past(query)
    return responses.fhir(_bundle(repository.gateway.base_url, query, page, wanted))


def _bundle(base_url: str, query: HistoryQuery, page: HistoryPage, wanted: subsets.Asked) -> bytes:
    """Join the Bundle of a page, with links that say what was understood."""
    address = "/".join(part for part in (base_url, query.type, query.id, "_history") if part)
    more = [] if wanted.counted else wanted.given

    def link(cursor: str | None) -> str:
        return f"{address}?{urlencode([*query.pairs(cursor), *more])}"

    return bundle.history(
        base_url,
        [
            bundle.Past(
                version.key,
                version.version,
                version.at,
                version.method,
                None if version.body is None else wanted.body(version.body),
            )
            for version in page.versions
        ],
        self_url=link(query.cursor),
        next_url=None if page.next is None else link(page.next),
        total=page.total,
    )
