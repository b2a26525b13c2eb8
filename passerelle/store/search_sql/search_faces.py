"""Which face the values of a criterion have: by the kind of its parameter and its modifier."""

from passerelle.fhir.search.language.full_text import is_full_text
from passerelle.fhir.search.search_parameters import Parameter
from passerelle.store.search_sql.search_composites import COMPOSITE, NEAR
from passerelle.store.search_sql.search_full_text import FULL_TEXT
from passerelle.store.search_sql.search_modified import MODIFIED
from passerelle.store.search_sql.search_values import (
    DATE,
    NUMBER,
    OF_THE_ROW,
    QUANTITY,
    REFERENCE,
    STRING,
    TOKEN,
    URI,
    Face,
)

FACES: dict[str, Face] = {
    "token": TOKEN,
    "string": STRING,
    "reference": REFERENCE,
    "date": DATE,
    "number": NUMBER,
    "quantity": QUANTITY,
    "uri": URI,
    "composite": COMPOSITE,
    "special": NEAR,
}
"""By kind of parameter, without a modifier."""

SAID_ELSEWHERE = {"token": "string", "reference": "token"}
"""By table: the one of what a code says in words (``:text``), a reference by an identifier."""


def face_of(parameter: Parameter, modifier: str = "") -> Face:
    """Give the face of a parameter's values."""
    own = OF_THE_ROW.get(parameter.code)
    if own is not None:
        return own
    if is_full_text(parameter):
        return FULL_TEXT
    if modifier:
        return MODIFIED.get((parameter.kind, modifier)) or FACES[parameter.kind]
    return FACES[parameter.kind]
