"""Definitions that are read and found though nobody put them into the record.

https://hl7.org/fhir/R4/http.html#read . OperationDefinitions of what we define ourselves; R4's
StructureDefinitions and SearchParameters as far as our tables hold them (``core_definitions``),
until the core package brings them whole. A resource that the core package brought is also read by
the id that R4 gives it. What the record has under an id or an address goes before.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from urllib.parse import urlencode

from passerelle.api.rest import operations, responses, subsets
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import NotFound
from passerelle.fhir import core_definitions, json_text
from passerelle.fhir.bundles import bundle
from passerelle.fhir.operation_definition import definition
from passerelle.fhir.resource import Resource
from passerelle.fhir.search.query import parse
from passerelle.fhir.search.query_results import COUNT_DEFAULT, COUNT_MAX
from passerelle.fhir.search.text_norm import normal
from passerelle.fhir.urls import PASSERELLE

TYPE = "OperationDefinition"
TYPES = frozenset({TYPE, "SearchParameter", "StructureDefinition"})
CORE = "hl7.fhir.r4.core"

PLACE = "_definitions"
"""Where a page of what is written here begins, in the links of answers."""

CRITERIA = {
    "_id": ("id", "token"),
    "url": ("url", "uri"),
    "name": ("name", "string"),
    "type": ("type", "token"),
    "base": ("base", "token"),
    "code": ("code", "token"),
    "kind": ("kind", "token"),
}
"""What is searched by here: the element and how it is compared."""

RESULTS = frozenset({"_count", "_total"})

Handler = Callable[[Repository, Request], Awaitable[Reply]]


@cache
def own() -> dict[str, bytes]:
    """Give our definitions by their id, as they are served."""
    return {
        each.definition.rpartition("/")[2]: json_text.encode(
            definition(
                each.definition,
                each.name,
                levels=each.levels,
                types=each.types,
                inputs=each.inputs or each.described,
                returns=each.returns,
                affects_state=each.affects_state,
                title=each.title,
            )
        )
        for each in operations.OPERATIONS
        if each.definition.startswith(f"{PASSERELLE}/{TYPE}/")
    }


@cache
def _written(type_: str) -> dict[str, bytes]:
    """Give the definitions of a type as they are served, by id."""
    if type_ == "OperationDefinition":
        return own()
    held = core_definitions.held(type_)
    return {id_: json_text.encode(resource) for id_, resource in held.items()}


async def read(repository: Repository, request: Request, refusal: NotFound) -> Reply:
    """Answer a read of what the record does not have by that id. Raises the refusal."""
    core = await _of_core(repository, request)
    body = _written(request.type).get(request.id) if core is None else core
    if body is None:
        raise refusal
    return responses.fhir(subsets.asked(request.pairs()).body(body))


async def _of_core(repository: Repository, request: Request) -> bytes | None:
    """Give what the core package brought under the id that it has in R4."""
    packages = repository.gateway.store.packages
    path = f"package/{request.type}-{request.id}.json"
    key = await packages.key_of_file(CORE, core_definitions.VERSION, path)
    found = None if key is None else await repository.gateway.store.read(key, repository.caller)
    if found is None or found.body is None:
        return None
    return json_text.encode(json_text.decode(found.body) | {"id": request.id})


async def searched(repository: Repository, request: Request, handler: Handler) -> Reply:
    """Answer a search: what the record has, then, on its last page, what is written here.

    So it is for searches by what is in ``CRITERIA`` alone; others are of the record.
    """
    pairs = request.pairs()
    places = [value for name, value in pairs if name == PLACE]
    if places:
        place = int(places[0]) if places[0].isdecimal() and len(places[0]) < 6 else 0
        plain = [pair for pair in pairs if pair[0] != PLACE]
        return await _page(repository, request, plain, place)
    reply = await handler(repository, request)
    if request.form_pairs:
        pairs = [*pairs, *request.form_pairs]
    found = await _found(repository, request.type, pairs)
    if not found or reply.status != 200 or reply.stream is not None:
        return reply
    page = json_text.decode(reply.body)
    if "total" in page:
        page["total"] += len(found)
    wanted = subsets.asked(pairs)
    is_last = all(link["relation"] != "next" for link in page["link"])
    if is_last and not wanted.counted and _count(wanted.rest):
        room = _count(wanted.rest) - sum(
            each.get("search", {}).get("mode") == "match" for each in page.get("entry", ())
        )
        _join(repository.gateway.base_url, request.type, page, found, max(room, 0), wanted)
        if len(found) > max(room, 0):
            _add_next(repository.gateway.base_url, request.type, page, pairs, max(room, 0))
    return reply._replace(body=json_text.encode(page))


async def _page(
    repository: Repository, request: Request, pairs: list[tuple[str, str]], place: int
) -> Reply:
    """Give a page of what is written here, from a place on."""
    base, wanted = repository.gateway.base_url, subsets.asked(pairs)
    found = await _found(repository, request.type, pairs) or []
    count = _count(wanted.rest)
    address = f"{base}/{request.type}?{urlencode([*pairs, (PLACE, str(place))])}"
    page: Resource = json_text.decode(bundle.searchset(base, [], self_url=address))
    _join(base, request.type, page, found[place:], count, wanted)
    if len(found) > place + count > place:
        _add_next(base, request.type, page, pairs, place + count)
    return responses.fhir(json_text.encode(page))


def _join(
    base_url: str,
    type_: str,
    page: Resource,
    found: Sequence[str],
    room: int,
    wanted: subsets.Asked,
) -> None:
    entries = [
        {
            "fullUrl": f"{base_url}/{type_}/{id_}",
            "resource": json_text.decode(wanted.body(_written(type_)[id_])),
            "search": {"mode": "match"},
        }
        for id_ in found[:room]
    ]
    if entries:
        page["entry"] = [*page.get("entry", ()), *entries]


def _add_next(
    base_url: str, type_: str, page: Resource, pairs: Sequence[tuple[str, str]], place: int
) -> None:
    query = urlencode([*pairs, (PLACE, str(place))])
    page["link"].append({"relation": "next", "url": f"{base_url}/{type_}?{query}"})


def _count(pairs: Sequence[tuple[str, str]]) -> int:
    given = [value for name, value in pairs if name == "_count"]
    is_number = bool(given) and given[-1].isdecimal() and len(given[-1]) < 9
    asked = int(given[-1]) if is_number else COUNT_DEFAULT
    return min(asked, COUNT_MAX)


async def _found(
    repository: Repository, type_: str, pairs: Sequence[tuple[str, str]]
) -> list[str] | None:
    """Give the ids of what a search finds here and the record does not have; None: not for us."""
    rest = [pair for pair in subsets.asked(pairs).rest if pair[0] not in RESULTS]
    if not rest or any(name not in CRITERIA or not value for name, value in rest):
        return None
    matching = [
        id_
        for id_, resource in _resources(type_).items()
        if all(_matches(resource, name, value) for name, value in rest)
    ]
    urls = {_resources(type_)[id_]["url"]: id_ for id_ in matching}
    for start in range(0, len(matching), 50):
        some = [_resources(type_)[id_]["url"] for id_ in matching[start : start + 50]]
        asked = parse(
            type_,
            [("url", ",".join(some)), ("_count", "500")],
            strict=True,
            base_url=repository.gateway.base_url,
        )
        page = await repository.gateway.store.search(asked, repository.caller)
        for there in page.matches:
            if there.body is not None:
                urls.pop(json_text.decode(there.body).get("url"), None)
    return list(urls.values())


@cache
def _resources(type_: str) -> dict[str, Resource]:
    return {id_: json_text.decode(body) for id_, body in _written(type_).items()}


def _matches(resource: Resource, name: str, text: str) -> bool:
    """Compare by the rules of the parameter's kind (https://hl7.org/fhir/R4/search.html)."""
    element, kind = CRITERIA[name]
    said = resource.get(element)
    values = said if isinstance(said, list) else [] if said is None else [said]
    for asked in text.split(","):
        if kind == "string":
            wanted = normal(asked)
            if any(normal(value).startswith(wanted) for value in values):
                return True
        elif (asked.rpartition("|")[2] if kind == "token" else asked) in values:
            return True
    return False
