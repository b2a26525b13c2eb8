"""The difference between two dossiers in a person's words: a French line for each change."""

from collections.abc import Iterable, Iterator
from typing import Any

from passerelle.fhir.json_text import encode
from passerelle.mappers.native.dossier_diff import Change

SECTIONS = {
    "id": "Identifiant",
    "status": "Statut du dossier",
    "openedAt": "Ouverture",
    "closedAt": "Clôture",
    "closure": "Clôture",
    "managing": "Structure gestionnaire",
    "lead": "Référent",
    "source": "Plateforme",
    "mergedInto": "Dossier d'accueil",
    "person": "Personne",
    "pathways": "Parcours",
    "sharing": "Partage",
    "circle": "Cercle de soins",
    "documents": "Documents",
    "notes": "Notes",
    "events": "Événements",
    "forms": "Formulaires",
    "appointments": "Rendez-vous",
    "tasks": "Tâches",
    "alerts": "Alertes",
    "messages": "Messages",
}
VERBS = {"added": "ajouté", "removed": "retiré", "changed": "modifié"}
VALUE_MAX = 60
"""Characters of a value that a line shows."""

NAMES = ("title", "text", "kind", "professional", "relative", "structure")
"""Members that an entry is recognised by, besides its key."""


def lines(changes: Iterable[Change]) -> Iterator[str]:
    """Give a line for each change: where, what became of it, from what to what."""
    for change in changes:
        place = " · ".join(_place(change))
        verb = VERBS[change.kind]
        if change.kind == "changed":
            yield f"{place} : {verb}, {_shown(change.before)} → {_shown(change.after)}"
        else:
            value = change.after if change.kind == "added" else change.before
            yield f"{place} : {verb}, {_shown(value)}"


def _place(change: Change) -> Iterator[str]:
    yield SECTIONS.get(change.section, change.section)
    if change.key is not None:
        yield change.key
    if change.path:
        yield change.path.lstrip("/").replace("/", " ")


def _shown(value: Any) -> str:
    """Give a value as short text; of an entry, what it is called."""
    if isinstance(value, dict):
        named = next((value[name] for name in NAMES if name in value), None)
        if isinstance(named, str):
            value = named
    text = value if isinstance(value, str) else encode(value).decode()
    text = " ".join(text.split())
    return f"« {text if len(text) <= VALUE_MAX else text[: VALUE_MAX - 1] + '…'} »"
