"""How far each search parameter is that was added to the record, and why one cannot be.

https://hl7.org/fhir/R4/searchparameter.html . Asked over HTTP (``SearchParameter/$status``) and by
``passerelle reindex --status``.
"""

from typing import NamedTuple

from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.search import added_parameters
from passerelle.fhir.search.added_parameters import Read
from passerelle.store.parameter_rows import AddedRow

REFUSED = "refused"
REFUSED_MAX = 1_000
"""Refused ones that are told."""


class Standing(NamedTuple):
    """One parameter: ``state`` is that of its row, or ``refused`` with its issues.

    What is refused has no figures; what every record has is ``ready`` with none to be gone
    through. ``definition`` is the id of the SearchParameter, empty for one that is no longer there.
    """

    definition: str
    url: str
    type: str
    code: str
    kind: str
    state: str
    percent: int
    done: int
    total: int
    issues: tuple[Issue, ...] = ()


async def standings(gateway: Gateway) -> tuple[Standing, ...]:
    """Give all that are there, then what was refused, then what is being cleared.

    Raises Unavailable.
    """
    rows = await gateway.store.parameters.rows()
    living = {(row.type, row.code): row for row in rows if row.state in ("indexing", "ready")}
    told: list[Standing] = []
    refused: list[Standing] = []
    for id, read in await gateway.store.parameters.readings():
        if read.faults:
            refused.append(_refused(id, read, read.faults))
        told += [
            Standing(id, read.url, each.type, each.code, each.kind, "ready", 100, 0, 0)
            for each in read.there
        ]
        for each in read.parameters:
            row = living.get((each.type, each.code))
            if row is not None and row.definition == added_parameters.dump(each):
                told.append(_told(row, id))
            else:
                slug, place = "parameter.code-taken", f"{added_parameters.PLACE}.code"
                said = issue(slug, place, code=each.code, type=each.type)
                refused.append(_refused(id, read, (said,), each.type))
    ended = [_told(row, "") for row in rows if row.state == "clearing"]
    return (*told, *refused[:REFUSED_MAX], *ended)


def _told(row: AddedRow, id: str) -> Standing:
    figures = (row.state, row.percent, row.done, row.total)
    return Standing(id, row.url, row.type, row.code, row.kind, *figures)


def _refused(id: str, read: Read, issues: tuple[Issue, ...], type: str = "") -> Standing:
    return Standing(id, read.url, type, read.code, read.kind, REFUSED, 0, 0, 0, issues)
