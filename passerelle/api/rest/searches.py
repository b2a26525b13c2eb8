"""Searches of a type, by GET and by POST (https://hl7.org/fhir/R4/http.html#search)."""

from collections.abc import Sequence
from urllib.parse import urlencode

from passerelle.api.rest import responses, subsets
from passerelle.api.rest.interactions import shown
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import bundle
from passerelle.fhir.search.query import Query, parse
from passerelle.store.contract import Page, Version


async def search(repository: Repository, request: Request) -> Reply:
    """Answer ``GET [base]/[type]?…``."""
    return await _answer(repository, request, request.pairs())


async def search_by_form(repository: Repository, request: Request) -> Reply:
    """Answer ``POST [base]/[type]/_search``: the parameters of the form and of the address."""
    form = await request.form()
    request.wanted()  # a form may ask for another one than the address
    asked = [pair for pair in form if pair[0] not in ("_format", "_pretty")]
    return await _answer(repository, request, [*request.pairs(), *asked])


async def _answer(
    repository: Repository, request: Request, pairs: Sequence[tuple[str, str]]
) -> Reply:
    base_url = repository.gateway.base_url
    wanted = subsets.asked(pairs)
    criteria = [*wanted.rest, *([("_summary", "count")] if wanted.counted else ())]
    query = parse(request.type, criteria, strict=request.strict, base_url=base_url)
    page = await repository.search(query)
    handling = request.preference.handling
    more = () if handling is None else (responses.HANDLED[handling],)
    return responses.fhir(searchset(base_url, query, page, wanted), more=more)


def searchset(
    base_url: str, query: Query, page: Page, wanted: subsets.Asked = subsets.WHOLE
) -> bytes:
    """Join the Bundle of a page, with its links and what was left out of the query.

    Of each resource it gives the part that is wanted.
    """
    address = f"{base_url}/{query.type}"
    issues: list[Issue] = [
        issue("http.parameter-ignored", name=shown(name)) for name in query.ignored
    ]
    issues += [said for said in page.issues if isinstance(said, Issue)]
    more = [] if wanted.counted else wanted.given
    next_url = None
    if page.next is not None:
        next_url = _address(address, [*query.next_pairs(page.next), *more])
    return bundle.searchset(
        base_url,
        [_found(version, wanted) for version in page.matches],
        [_found(version, wanted) for version in page.included],
        self_url=_address(address, [*query.self_pairs(), *more]),
        next_url=next_url,
        total=page.total,
        issues=issues,
    )


def _found(version: Version, wanted: subsets.Asked) -> bundle.Found:
    return bundle.Found(version.key, wanted.body(version.body or b"{}"))


def _address(address: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(pairs)}" if pairs else address
