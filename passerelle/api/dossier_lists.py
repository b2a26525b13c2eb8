"""Many dossiers at once: the list of them, and the feed of their changes.

``GET /dossiers`` lists; with ``cursor`` it follows the changes.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response

from passerelle.api.native_requests import (
    Streamed,
    answer_json,
    begun,
    caller_of,
    demand_known,
    gone,
    received_of,
)
from passerelle.dossiers.exchange import dossier_list
from passerelle.dossiers.exchange.dossier_search import (
    FILTERS,
    LIMIT_MAX,
    SORT,
    DossierQuery,
    demand_query,
)
from passerelle.dossiers.exchange.feed_waiting import WAIT_SECONDS_MAX, FeedWaiting
from passerelle.dossiers.exchange.patient_list import (
    MEDIA,
    PAGE,
    Format,
    Purpose,
    Wanted,
    demand_columns,
    exported,
)
from passerelle.dossiers.gateway import Gateway
from passerelle.mappers.native.dossier_columns import COLUMNS
from passerelle.store.caller import Caller

FEED_PARAMETERS = ("cursor", "limit", "wait")
EXPORT_PARAMETERS = (*FILTERS, "_sort", "columns", "format", "purpose")
LIST_PARAMETERS = (*FILTERS, "_sort", "limit", "page", "total")
LIMIT = 100

Cursor = Annotated[
    str | None,
    Query(description="Flux des changements : start, now, ou le next d'une page du flux"),
]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Lignes d'une page")]
Wait = Annotated[
    int,
    Query(ge=0, le=WAIT_SECONDS_MAX, description="Secondes d'attente d'un changement"),
]


Page = Annotated[str | None, Query(description="Le next d'une page de la liste")]
Total = Annotated[bool, Query(description="Dire aussi combien il y en a en tout")]
OrderBy = Annotated[
    str, Query(alias="_sort", description="Ordre : updated, opened, name, birthdate ; - à rebours")
]


Columns = Annotated[
    str | None, Query(description=f"Colonnes, séparées par des virgules : {', '.join(COLUMNS)}")
]
Why = Annotated[Purpose, Query(description="Finalité, notée au journal (PurposeOfUse de HL7)")]
Form = Annotated[Format, Query(description="csv (Excel français) ou xlsx")]


class Filters(NamedTuple):
    """What a list may be narrowed by, as it was asked."""

    asked: Mapping[str, str | None]


def filters(
    name: Annotated[str | None, Query(description="Nom ou prénom : débuts de mots")] = None,
    birthdate: Annotated[
        str | None, Query(description="Naissance : 1950, 1950-07, ge1950…")
    ] = None,
    ins: Annotated[str | None, Query(description="Matricule INS : numéro, ou oid|numéro")] = None,
    member: Annotated[
        str | None, Query(description="Membre du cercle : identifiant national ou nom")
    ] = None,
    structure: Annotated[
        str | None, Query(description="Structure gestionnaire : identifiant ou nom")
    ] = None,
    pathway: Annotated[str | None, Query(description="Parcours : code ou system|code")] = None,
    status: Annotated[str | None, Query(description="Statuts, séparés par des virgules")] = None,
) -> Filters:
    """Read the filters of a list."""
    given = (name, birthdate, ins, member, structure, pathway, status)
    return Filters(dict(zip(FILTERS, given, strict=True)))


Asked = Annotated[Filters, Depends(filters)]


def router(gateway: Gateway) -> APIRouter:
    """Give the routes."""
    routes = APIRouter(tags=["dossiers"])
    waiting = FeedWaiting(gateway)

    @routes.get("/dossiers", summary="Lister les dossiers, ou suivre leurs changements (cursor)")
    async def dossiers(
        request: Request,
        asked: Asked,
        cursor: Cursor = None,
        limit: Limit = LIMIT,
        wait: Wait = 0,
        sort: OrderBy = SORT,
        page: Page = None,
        total: Total = False,
    ) -> Response:
        pretty = received_of(request, 0).demand_json()
        caller = caller_of(request)
        if cursor is None:
            demand_known(request, LIST_PARAMETERS)
            query = demand_query(asked.asked, sort, limit, page)
            return answer_json(await _list(gateway, caller, query, total=total), pretty=pretty)
        demand_known(request, FEED_PARAMETERS)
        changes = await waiting.page(
            caller, cursor=cursor, limit=limit, seconds=wait, gone=lambda: gone(request)
        )
        return answer_json(changes.as_json(), pretty=pretty)

    @routes.get("/dossiers:export", summary="Extraire la liste des dossiers (CSV, XLSX)")
    async def export(
        request: Request,
        asked: Asked,
        purpose: Why,
        columns: Columns = None,
        format: Form = "csv",
        sort: OrderBy = "name",
    ) -> Response:
        demand_known(request, EXPORT_PARAMETERS)
        query = demand_query(asked.asked, sort, PAGE, None)
        wanted = Wanted(query, demand_columns(columns), format, purpose)
        parts = exported(gateway, caller_of(request), wanted)
        name = f'attachment; filename="dossiers.{format}"'
        return Streamed(
            await begun(parts), media_type=MEDIA[format], headers={"content-disposition": name}
        )

    return routes


async def _list(
    gateway: Gateway, caller: Caller, query: DossierQuery, *, total: bool
) -> dict[str, Any]:
    """Give a page of the list as it is answered."""
    page = await dossier_list.listed(gateway, caller, query)
    told: dict[str, Any] = {"dossiers": await dossier_list.rows(gateway, caller, page.found)}
    if total:
        told["total"] = await dossier_list.total(gateway, caller, query)
    return told if page.next is None else {**told, "next": page.next}
