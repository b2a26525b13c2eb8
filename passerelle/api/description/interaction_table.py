"""What the description tells of each interaction: what is sent, what is answered.

https://hl7.org/fhir/R4/http.html#summary . One line for each code of the table of routes.
"""

from typing import Literal, NamedTuple, TypeAlias

Query: TypeAlias = Literal["part", "search", "criteria", "history", "form"]
Body: TypeAlias = Literal["", "type", "patch", "search", "Bundle", "Parameters"]

KEPT = ("ETag", "Last-Modified")
WRITTEN = (*KEPT, "Location")
SEARCHED = ("Preference-Applied",)
OWN = "own"
"""The schema of the type that the address is of."""
OWN_OR_OUTCOME = "own-or-outcome"
"""What Prefer chooses between; with return=minimal there is no body."""


class Answered(NamedTuple):
    """An answer: its status, its text, the schema of its body (None: no body), its headers."""

    status: str
    text: str
    schema: str | None = None
    headers: tuple[str, ...] = ()


class Told(NamedTuple):
    """What is told of an interaction: its summary, its inputs, its answers and refusals."""

    summary: str
    query: Query
    answers: tuple[Answered, ...]
    refusals: tuple[str, ...]
    headers: tuple[str, ...] = ()
    body: Body = ""


_LATER = Answered(
    "202",
    "Acceptée : répondue ensuite, comme Prefer le demande",
    "OperationOutcome",
    ("Content-Location", "Preference-Applied"),
)
_FOUND = (Answered("200", "Une page de ressources", "Bundle", SEARCHED), _LATER)
_PAST = (Answered("200", "Une page de versions", "Bundle"), _LATER)
_READ = (
    Answered("200", "La ressource", OWN, KEPT),
    Answered("304", "Rien n'a changé", None, KEPT),
)
_UPDATED = Answered("200", "Une nouvelle version, ou la même", OWN_OR_OUTCOME, WRITTEN)
_CREATED = Answered("201", "Créée", OWN_OR_OUTCOME, WRITTEN)
_DELETED = (
    Answered("200", "Supprimée ; dit ce qui l'a été", "OperationOutcome", ("ETag",)),
    Answered("204", "Supprimée", None, ("ETag",)),
)
_WRITE = ("400", "404", "409", "412", "413", "415", "422")

INTERACTIONS: dict[str, Told] = {
    "read": Told(
        "Lire", "part", _READ, ("400", "404", "410"), ("If-None-Match", "If-Modified-Since")
    ),
    "vread": Told("Lire une version", "part", _READ, ("400", "404", "410"), ("If-None-Match",)),
    "create": Told(
        "Créer",
        "form",
        (Answered("200", "Il y en avait une", OWN_OR_OUTCOME, WRITTEN), _CREATED),
        _WRITE,
        ("Prefer", "If-None-Exist"),
        "type",
    ),
    "update": Told(
        "Mettre à jour",
        "form",
        (_UPDATED, _CREATED),
        _WRITE,
        ("Prefer", "If-Match", "If-None-Match"),
        "type",
    ),
    "conditional-update": Told(
        "Mettre à jour ce que des critères désignent",
        "criteria",
        (_UPDATED, _CREATED),
        _WRITE,
        ("Prefer", "If-Match"),
        "type",
    ),
    "patch": Told(
        "Modifier en partie (JSON Patch, FHIRPath Patch)",
        "form",
        (_UPDATED,),
        (*_WRITE, "410"),
        ("Prefer", "If-Match"),
        "patch",
    ),
    "conditional-patch": Told(
        "Modifier en partie ce que des critères désignent",
        "criteria",
        (_UPDATED,),
        (*_WRITE, "410"),
        ("Prefer", "If-Match"),
        "patch",
    ),
    "delete": Told(
        "Supprimer", "form", _DELETED, ("400", "404", "409", "412"), ("Prefer", "If-Match")
    ),
    "conditional-delete": Told(
        "Supprimer ce que des critères désignent",
        "criteria",
        _DELETED,
        ("400", "404", "409", "412"),
        ("Prefer", "If-Match"),
    ),
    "search-type": Told("Chercher", "search", _FOUND, ("400",), ("Prefer",)),
    "search-system": Told("Chercher dans tous les types", "search", _FOUND, ("400",), ("Prefer",)),
    "search-compartment": Told(
        "Chercher dans un compartiment", "search", _FOUND, ("400", "404"), ("Prefer",)
    ),
    "history-instance": Told(
        "L'histoire d'une ressource",
        "history",
        _PAST,
        ("400", "404"),
        ("Prefer",),
    ),
    "history-type": Told(
        "L'histoire d'un type",
        "history",
        _PAST,
        ("400",),
        ("Prefer",),
    ),
    "history-system": Told(
        "L'histoire de tout",
        "history",
        _PAST,
        ("400",),
        ("Prefer",),
    ),
    "transaction": Told(
        "Lot (batch) ou transaction",
        "form",
        (Answered("200", "La réponse à chaque entrée, à sa place", "Bundle"),),
        _WRITE,
        ("Prefer",),
        "Bundle",
    ),
    "capabilities": Told(
        "Ce que la passerelle sait faire",
        "form",
        (Answered("200", "CapabilityStatement", "Resource"),),
        ("400",),
    ),
    "async-status": Told(
        "Où en est une demande faite avec Prefer: respond-async",
        "form",
        (
            Answered("200", "Les fichiers de la réponse (JSON)", "manifest", ("Expires",)),
            Answered("202", "Pas encore", None, ("X-Progress", "Retry-After")),
        ),
        ("404",),
    ),
    "async-cancel": Told(
        "Oublier une demande et sa réponse",
        "form",
        (Answered("202", "Oubliée", "OperationOutcome"),),
        ("404",),
    ),
    "async-output": Told(
        "Un fichier d'une réponse, en NDJSON",
        "form",
        (Answered("200", "Une ressource par ligne", "ndjson", ("Expires",)),),
        ("404",),
    ),
    "operation": Told(
        "Opération",
        "form",
        (
            Answered("200", "Ce que l'opération donne", "Resource"),
            Answered("202", "Accepté, fait ensuite", "Resource", ("Location", "Content-Location")),
        ),
        ("400", "404", "410", "409", "412", "413", "415", "422"),
        ("Prefer",),
        "Parameters",
    ),
}
"""By the code of the interaction."""
