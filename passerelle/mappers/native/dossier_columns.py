"""The columns of an extracted list of dossiers: their names, their French headings, their cells."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Row = Mapping[str, Any]


class Column(NamedTuple):
    """A column: what it is headed by, and its cell of a row of :mod:`dossier_row`."""

    heading: str
    cell: Callable[[Row], Any]


STATUSES = {
    "proposed": "proposé",
    "active": "actif",
    "suspended": "suspendu",
    "closed": "clos",
    "merged": "fusionné",
    "entered-in-error": "saisi par erreur",
}
IDENTITIES = {
    "provisional": "provisoire",
    "retrieved": "récupérée",
    "validated": "validée",
    "qualified": "qualifiée",
}
SEXES = {"M": "masculin", "F": "féminin", "U": "inconnu"}


def _person(name: str, words: Mapping[str, str] | None = None) -> Callable[[Row], Any]:
    def cell(row: Row) -> Any:
        value = row.get("person", {}).get(name)
        return value if words is None else words.get(value, value)

    return cell


def _count(name: str) -> Callable[[Row], Any]:
    return lambda row: row.get("counts", {}).get(name, 0)


COLUMNS: Mapping[str, Column] = {
    "dossier": Column("Dossier", lambda row: row["dossier"].rpartition("|")[2]),
    "system": Column("Domaine du dossier", lambda row: row["dossier"].rpartition("|")[0]),
    "status": Column("Statut", lambda row: STATUSES.get(row["status"], row["status"])),
    "openedAt": Column("Ouvert le", lambda row: row.get("openedAt")),
    "closedAt": Column("Clos le", lambda row: row.get("closedAt")),
    "updatedAt": Column("Mis à jour le", lambda row: row.get("updatedAt")),
    "birthName": Column("Nom de naissance", _person("birthName")),
    "birthFirstNames": Column("Prénoms de naissance", _person("birthFirstNames")),
    "usedName": Column("Nom utilisé", _person("usedName")),
    "usedFirstName": Column("Prénom utilisé", _person("usedFirstName")),
    "birthDate": Column("Date de naissance", _person("birthDate")),
    "sex": Column("Sexe", _person("sex", SEXES)),
    "identity": Column("Statut de l'identité", _person("status", IDENTITIES)),
    "ins": Column("Matricule INS", _person("ins")),
    "pathways": Column(
        "Parcours",
        lambda row: [each.get("text") or each.get("code") for each in row.get("pathways", ())],
    ),
    "structure": Column("Structure", lambda row: row.get("managing", {}).get("display")),
    "lead": Column("Référent", lambda row: row.get("lead")),
    "documents": Column("Documents", _count("documents")),
    "notes": Column("Notes", _count("notes")),
    "events": Column("Événements", _count("events")),
    "forms": Column("Formulaires", _count("forms")),
    "appointments": Column("Rendez-vous", _count("appointments")),
    "tasks": Column("Tâches", _count("tasks")),
    "alerts": Column("Alertes", _count("alerts")),
}
"""Name, as it is asked for, to column."""

USUAL = (
    *("dossier", "status", "openedAt", "birthName", "birthFirstNames", "birthDate"),
    *("identity", "pathways", "structure", "lead"),
)
"""What is given when no column is chosen: no matricule."""


def cells(row: Row, columns: tuple[str, ...]) -> list[str]:
    """Give the cells of a row as texts."""
    return [_text(COLUMNS[name].cell(row)) for name in columns]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value if each)
    return "" if value is None else str(value)
