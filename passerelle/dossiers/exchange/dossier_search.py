"""Which dossiers are listed: what is asked in the words of the native form, as searches of FHIR.

The dossier is its EpisodeOfCare; its person and its circle are reached by chains and ``_has``
(https://hl7.org/fhir/R4/search.html#chaining), so that rights, indexes and pages are those of every
search. Sorted by what the person bears, the Patients are searched, and their dossiers found beside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.mappers.resources.dossier_episode import STATUSES

Pairs = list[tuple[str, str]]

SORTS: Mapping[str, tuple[Literal["EpisodeOfCare", "Patient"], str]] = {
    "updated": ("EpisodeOfCare", "_lastUpdated"),
    "opened": ("EpisodeOfCare", "date"),
    "name": ("Patient", "family"),
    "birthdate": ("Patient", "birthdate"),
}
"""Order to the type that is searched, and what it is sorted by: one key, whose index is walked."""

SORT = "-updated"
FILTERS = ("name", "birthdate", "ins", "member", "structure", "pathway", "status")
LIMIT_MAX = 200
IN_ERROR = "entered-in-error"
TAGGED = ("_tag", f"{DOSSIER_TAG}|")


@dataclass(frozen=True, slots=True)
class DossierQuery:
    """What is asked of the list: filters by name, an order, a page."""

    filters: Mapping[str, str]
    sort: str = SORT
    limit: int = 50
    page: str | None = None

    @property
    def driven_by(self) -> Literal["EpisodeOfCare", "Patient"]:
        """Give the type whose pages are gone through."""
        return SORTS[self.sort.removeprefix("-")][0]

    @property
    def order(self) -> str:
        """Give the order as ``_sort`` has it."""
        _, code = SORTS[self.sort.removeprefix("-")]
        return "-" + code if self.sort.startswith("-") else code


def demand_query(
    filters: Mapping[str, str | None], sort: str, limit: int, page: str | None
) -> DossierQuery:
    """Read what is asked. Raises Invalid for an order or a status that there is not."""
    given = {name: text.strip() for name, text in filters.items() if text and text.strip()}
    issues: list[Issue] = []
    if sort.removeprefix("-") not in SORTS:
        issues.append(issue("dossier.sort-unknown", "_sort", known=", ".join(SORTS)))
    statuses = given.get("status", "").split(",") if "status" in given else []
    if not set(statuses) <= STATUSES.keys():
        issues.append(issue("dossier.status-unknown", "status", known=", ".join(STATUSES)))
    if issues:
        raise Invalid(*issues)
    return DossierQuery(given, sort, limit, page)


def episode_criteria(filters: Mapping[str, str]) -> Pairs:
    """Give the criteria on the EpisodeOfCare itself."""
    status = filters.get("status")
    pairs: Pairs = [TAGGED]
    if status is None:
        pairs.append(("status:not", IN_ERROR))
    else:
        pairs.append(("status", ",".join(STATUSES[each] for each in status.split(","))))
    if "pathway" in filters:
        pairs.append(("type", filters["pathway"]))
    if "structure" in filters:
        pairs.append(_named("organization", filters["structure"]))
    return pairs


def person_criteria(filters: Mapping[str, str]) -> Pairs:
    """Give the criteria on the Patient, its circle included."""
    pairs: Pairs = []
    if "name" in filters:
        pairs += [("name", word) for word in filters["name"].split()]
    if "birthdate" in filters:
        pairs.append(("birthdate", filters["birthdate"]))
    if "ins" in filters:
        pairs.append(("identifier", _oid(filters["ins"])))
    if "member" in filters:
        name, value = team_criterion(filters["member"])
        pairs.append((f"_has:CareTeam:patient:{name}", value))
    return pairs


def team_criterion(member: str) -> tuple[str, str]:
    """Give the criterion on the CareTeam: a professional by an identifier, or by name."""
    return _named("participant:PractitionerRole.practitioner", member)


def driving(query: DossierQuery) -> Pairs:
    """Give the search that pages are taken from."""
    if query.driven_by == "EpisodeOfCare":
        chained = [
            (_through("patient", name), value) for name, value in person_criteria(query.filters)
        ]
        pairs = [*episode_criteria(query.filters), *chained, ("_include", "EpisodeOfCare:patient")]
    else:
        beside = [
            (f"_has:EpisodeOfCare:patient:{name}", value)
            for name, value in episode_criteria(query.filters)
        ]
        pairs = [*person_criteria(query.filters), *beside]
    pairs += [("_sort", query.order), ("_count", str(query.limit))]
    return pairs if query.page is None else [*pairs, ("_cursor", query.page)]


def episodes_of(query: DossierQuery, patients: Sequence[str]) -> Pairs:
    """Give the search of the dossiers of some persons of a page."""
    return [*episode_criteria(query.filters), ("patient", ",".join(patients)), ("_count", "1000")]


def counted(query: DossierQuery) -> Pairs:
    """Give the search whose number of matches is the total."""
    chained = [(_through("patient", name), value) for name, value in person_criteria(query.filters)]
    return [*episode_criteria(query.filters), *chained, ("_summary", "count")]


def _through(link: str, name: str) -> str:
    return f"{link}:Patient.{name}"


def _named(link: str, text: str) -> tuple[str, str]:
    """Search what a link leads to by an identifier, where it looks like one, or by a name."""
    if "|" in text or any(character.isdigit() for character in text):
        return f"{link}.identifier", text
    return f"{link}.name", text


def _oid(text: str) -> str:
    """Give an INS as a search has it: ``oid|number``, or the number alone."""
    oid, bar, number = text.partition("|")
    return f"urn:oid:{oid}|{number}" if bar and oid[:1].isdigit() else text
