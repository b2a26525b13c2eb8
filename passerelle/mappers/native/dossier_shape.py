"""The shape of a native dossier, checked against ``dossier.schema.json``: every fault at once.

JSON Schema 2020-12 (https://json-schema.org/draft/2020-12/schema). Dates are checked against the
calendar. No text of an issue holds a value of the dossier's.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib import resources
from itertools import islice
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.mappers.native.dossier_dates import is_day, is_instant
from passerelle.mappers.native.dossier_faults import Fault, answering, pointer

FAULTS_MAX = 1000
"""More faults than this are not told: the dossier is refused as a whole."""

_FAULTS: dict[str, tuple[str, str]] = {
    "required": ("élément obligatoire absent", "mandatory element missing"),
    "additionalProperties": ("élément inconnu", "unknown element"),
    "falseSchema": ("élément contraire à la nature du membre", "element against the member's kind"),
    "type": ("mauvais type JSON", "wrong JSON type"),
    "enum": ("valeur hors de la liste admise", "value not in the list"),
    "const": ("valeur autre que celle qui est fixée", "not the fixed value"),
    "not": ("valeur réservée", "reserved value"),
    "pattern": ("écriture non admise", "not written as it must be"),
    "format": ("format non respecté", "format not respected"),
    "minLength": ("texte vide", "empty text"),
    "maxLength": ("texte trop long", "text too long"),
    "minItems": ("liste trop courte", "list too short"),
    "maxItems": ("liste trop longue", "list too long"),
    "uniqueItems": ("valeur répétée", "repeated value"),
    "minimum": ("nombre trop petit", "number too small"),
    "maximum": ("nombre trop grand", "number too large"),
    "anyOf": ("aucune des formes admises", "none of the admitted forms"),
    "oneOf": ("aucune des formes admises", "none of the admitted forms"),
}
"""Keyword of the schema to what is wrong, in French and in English."""

_OTHER = ("forme non admise", "form not admitted")
_DATES = frozenset({"instant", "day"})


def check(content: dict[str, Any]) -> list[Fault]:
    """Give the faults of shape of a dossier, each with the entry that answers for it."""
    errors = _errors(content)
    found: dict[tuple[str, str | None], Fault] = {}
    for error in errors:
        for path, fault in _told(error):
            found.setdefault((fault.rule, fault.expression), Fault(fault, answering(content, path)))
    faults = list(found.values())
    if max(len(errors), len(faults)) > FAULTS_MAX:
        untold = issue("dossier.too-many-faults", limit=FAULTS_MAX)
        return [*faults[:FAULTS_MAX], Fault(untold, None)]
    return faults


def _errors(content: dict[str, Any]) -> list[ValidationError]:
    """Give what the schema says. It knows no number but plain ones: those that keep how they were
    written (``1e3``) are looked at as what they are.
    """
    try:
        return list(islice(_validator().iter_errors(content), FAULTS_MAX + 1))
    except ValueError:
        return list(islice(_validator().iter_errors(_plain(content)), FAULTS_MAX + 1))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_plain(child) for child in value]
    return Decimal(value) if isinstance(value, Decimal) else value


def _told(error: ValidationError) -> Iterator[tuple[list[str | int], Issue]]:
    """Tell one error of the schema at the place that a person looks for."""
    path, keyword, facts = list(error.instance_path), error.kind.name, error.kind.as_dict()
    if _is_date(error):
        yield path, issue("dossier.date", pointer(path))
        return
    texts = dict(zip(("fault_fr", "fault_en"), _FAULTS.get(keyword, _OTHER), strict=True))
    names = facts.get("unexpected", [facts["property"]] if "property" in facts else [])
    for place in [[*path, name] for name in names] or [path]:
        yield place, issue("dossier.schema", pointer(place), **texts)


def _is_date(error: ValidationError) -> bool:
    """Tell whether a text fails to be a date: the choice of the two forms, or one of them."""
    if error.kind.name == "anyOf":
        return isinstance(error.instance, str)
    return error.kind.name in ("format", "pattern") and bool(_DATES & set(error.schema_path))


@cache
def _validator() -> Draft202012Validator:
    file = resources.files("passerelle.mappers.native") / "dossier.schema.json"
    return Draft202012Validator(
        json.loads(file.read_text(encoding="utf-8")),
        validate_formats=True,
        formats={"date-time": is_instant, "calendar": is_day},
    )
