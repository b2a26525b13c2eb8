"""Searches of a type, of a compartment and of the whole system, by GET and by POST.

https://hl7.org/fhir/R4/http.html#search and #vsearch
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from passerelle.api.rest import responses, subsets
from passerelle.api.rest.interactions import shown
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.search_terms import parsed
from passerelle.errors.refusals import Issue, NotFound
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import bundle
from passerelle.fhir.references import is_id
from passerelle.fhir.resource import Key
from passerelle.fhir.search.language.terminology import Terminology
from passerelle.fhir.search.query import Query, parse, parse_compartment, parse_system
from passerelle.store.contract import Page, Version


async def search(repository: Repository, request: Request) -> Reply:
    """Answer ``GET [base]/[type]?…``, and ``GET [base]?…`` of the whole system."""
    return await _answer(repository, request, request.pairs())


async def search_by_form(repository: Repository, request: Request) -> Reply:
    """Answer ``POST [base]/[type]/_search`` and ``POST [base]/_search``.

    The parameters are those of the form and of the address.
    """
    form = await request.form()
    request.wanted()  # a form may ask for another one than the address
    asked = [pair for pair in form if pair[0] not in ("_format", "_pretty")]
    return await _answer(repository, request, [*request.pairs(), *asked])


async def search_compartment(repository: Repository, request: Request) -> Reply:
    """Answer ``GET [base]/[compartment]/[id]/[type]?…`` and ``…/*?…``.

    https://hl7.org/fhir/R4/compartmentdefinition.html . Raises NotFound where the type is never in
    such a compartment.
    """
    if not is_id(request.id):
        raise NotFound(issue("http.address-unknown"))
    return await _answer(repository, request, request.pairs())


def _understood(
    repository: Repository,
    request: Request,
    pairs: Sequence[tuple[str, str]],
    terms: Terminology,
) -> Query:
    """Understand a search by the address it was asked at. Raises Invalid, NotFound."""
    strict, base_url = request.strict, repository.gateway.base_url
    registry = repository.gateway.store.parameters.registry
    if request.member:
        query = parse_compartment(
            Key(request.type, request.id),
            request.member,
            pairs,
            strict=strict,
            base_url=base_url,
            terminology=terms,
            registry=registry,
        )
        if query is None:
            raise NotFound(issue("search.compartment-unknown", type=request.type))
        return query
    if request.type:
        return parse(
            request.type,
            pairs,
            strict=strict,
            base_url=base_url,
            terminology=terms,
            registry=registry,
        )
    return parse_system(
        pairs, strict=strict, base_url=base_url, terminology=terms, registry=registry
    )


async def understood(
    repository: Repository, request: Request, pairs: Sequence[tuple[str, str]]
) -> tuple[Query, subsets.Asked]:
    """Understand what is searched, and which parts of it are wanted. Raises Invalid, NotFound."""
    asked = subsets.asked(pairs)
    rest = [*asked.rest, ("_summary", "count")] if asked.counted else asked.rest
    query = await parsed(
        repository.gateway,
        repository.caller,
        lambda terms: _understood(repository, request, rest, terms),
    )
    return query, asked


async def _answer(
    repository: Repository, request: Request, pairs: Sequence[tuple[str, str]]
) -> Reply:
    query, asked = await understood(repository, request, pairs)
    page = await repository.search(query)
    handling = request.preference.handling
    more = () if handling is None else (responses.HANDLED[handling],)
    return responses.fhir(searchset(repository.gateway.base_url, query, page, asked), more=more)


def searchset(
    base_url: str, query: Query, page: Page, asked: subsets.Asked = subsets.WHOLE
) -> bytes:
    """Join the Bundle of a page, with its links and what was left out of the query.

    Of the resources it has the parts that are asked for.
    """
    address = f"{base_url}/{query.address}" if query.address else base_url
    issues: list[Issue] = [
        issue("http.parameter-ignored", name=shown(name)) for name in query.ignored
    ]
    issues += [said for said in page.issues if isinstance(said, Issue)]
    parts = [] if asked.counted else asked.given
    next_url = None
    if page.next is not None:
        next_url = _address(address, (*query.next_pairs(page.next), *parts))
    return bundle.searchset(
        base_url,
        [_found(version, asked) for version in page.matches],
        [_found(version, asked) for version in page.included],
        self_url=_address(address, (*query.self_pairs(), *parts)),
        next_url=next_url,
        total=page.total,
        issues=issues,
    )


def _found(version: Version, wanted: subsets.Asked) -> bundle.Found:
    return bundle.Found(version.key, wanted.body(version.body or b"{}"))


def _address(address: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(pairs)}" if pairs else address
