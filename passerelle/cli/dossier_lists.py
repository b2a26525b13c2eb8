"""``passerelle dossier list`` and ``export``: dossiers found, shown, taken out as a table.

``GET /dossiers`` and ``GET /dossiers:export``.
"""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from passerelle.cli import client, printing
from passerelle.cli.client import SERVER, ServerOption
from passerelle.cli.printing import JsonOption
from passerelle.errors.rules import issue

Name = Annotated[str | None, typer.Option(help="Nom ou prénom : débuts de mots.")]
Birth = Annotated[str | None, typer.Option(help="Naissance : 1950, 1950-07, ge1950…")]
Ins = Annotated[str | None, typer.Option(help="Matricule INS.")]
Member = Annotated[str | None, typer.Option(help="Membre du cercle : identifiant ou nom.")]
Structure = Annotated[str | None, typer.Option(help="Structure : identifiant ou nom.")]
Pathway = Annotated[str | None, typer.Option(help="Parcours : code ou system|code.")]
Status = Annotated[str | None, typer.Option(help="Statuts, séparés par des virgules.")]
Sort = Annotated[
    str, typer.Option(help="Ordre : updated, opened, name, birthdate ; « - » devant : à rebours.")
]
LIMIT_MAX = 200


def list_dossiers(
    name: Name = None,
    birthdate: Birth = None,
    ins: Ins = None,
    member: Member = None,
    structure: Structure = None,
    pathway: Pathway = None,
    status: Status = None,
    sort: Sort = "-updated",
    limit: Annotated[int, typer.Option(min=1, help="Lignes au plus.")] = 50,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Liste les dossiers qui répondent à tous les critères."""
    asked = _asked(name, birthdate, ins, member, structure, pathway, status) | {"_sort": sort}
    rows: list[dict[str, Any]] = []
    total = page = None
    with client.asking(server, json=json) as gateway:
        while len(rows) < limit and (page is not None or total is None):
            wanted = {"limit": str(min(LIMIT_MAX, limit - len(rows)))}
            wanted |= {"page": page} if page else {"total": "true"}
            answer = gateway.ask("GET", f"dossiers?{urlencode(asked | wanted)}")
            found = answer.json()
            rows += found["dossiers"]
            total, page = found.get("total", total), found.get("next")
    if json:
        printing.as_json({"dossiers": rows[:limit], "total": total})
    else:
        _tell(rows[:limit], total or 0)


def export(
    output: Annotated[
        Path, typer.Argument(help="Fichier à écrire : .csv ou .xlsx.", dir_okay=False)
    ],
    purpose: Annotated[
        str, typer.Option(help="Finalité, notée au journal : COC, TREAT, HOPERAT, HQUALIMP…")
    ],
    columns: Annotated[
        str | None, typer.Option(help="Colonnes, séparées par des virgules ; sans : les usuelles.")
    ] = None,
    name: Name = None,
    birthdate: Birth = None,
    ins: Ins = None,
    member: Member = None,
    structure: Structure = None,
    pathway: Pathway = None,
    status: Status = None,
    sort: Sort = "name",
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Extrait la liste des dossiers en CSV ou en XLSX, avec les colonnes choisies."""
    asked = _asked(name, birthdate, ins, member, structure, pathway, status) | {"_sort": sort}
    asked |= {"purpose": purpose, "format": output.suffix.lstrip(".").lower()}
    if columns is not None:
        asked["columns"] = columns
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask("GET", f"dossiers:export?{urlencode(asked)}")
    try:
        output.write_bytes(answer.body)
    except OSError as fault:
        found = issue("cli.file-unreadable", reason=fault.strerror or type(fault).__name__)
        raise printing.stop(printing.UNREACHABLE, found, json=json) from None
    if json:
        printing.as_json({"file": str(output), "bytes": len(answer.body)})
    else:
        printing.line(f"Écrit : {output}", f"Written: {output}", good=True)


def _asked(*values: str | None) -> dict[str, str]:
    names = ("name", "birthdate", "ins", "member", "structure", "pathway", "status")
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _tell(rows: list[dict[str, Any]], total: int) -> None:
    columns = (
        ("Dossier", "Dossier"),
        ("Nom", "Name"),
        ("Prénoms", "First names"),
        ("Naissance", "Birth"),
        ("Identité", "Identity"),
        ("Statut", "Status"),
        ("Parcours", "Pathways"),
        ("Référent", "Lead"),
    )
    printing.table(columns, [_cells(row) for row in rows])
    printing.line(f"{len(rows)} sur {total}", f"{len(rows)} of {total}")


def _cells(row: dict[str, Any]) -> list[object]:
    person = row.get("person", {})
    pathways = [each.get("text") or each.get("code", "") for each in row.get("pathways", ())]
    return [
        row["dossier"].rpartition("|")[2],
        person.get("birthName"),
        " ".join(person.get("birthFirstNames", ())),
        person.get("birthDate"),
        person.get("status"),
        row.get("status"),
        ", ".join(pathways),
        row.get("lead"),
    ]
