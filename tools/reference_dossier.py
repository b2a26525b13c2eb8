"""The page of the dossier's mapping: each native field, and the FHIR elements it goes to.

The tables are in ``reference_dossier_fields``; ``tests/test_docs.py`` proves them against the
schema of the native form and against what the mappers make of drawn dossiers.
"""

from collections.abc import Iterator

from passerelle.mappers.native.dossier import SECTIONS
from passerelle.mappers.resources.fhir_elements import OWN_EXTENSIONS
from tools.dossier_field import Field
from tools.reference_dossier_fields import GROUPS
from tools.reference_markdown import code, codes, page, table


def write() -> str:
    """Write the page."""
    return page(
        "Dossier mapping",
        "The native form of a dossier (`dossier/1`) and the FHIR resources that stand for it. The "
        "way is exact in both directions: a dossier that is pushed comes back as it was, but for "
        "`complete`, which directs a push and is no state.",
        f"Sections: {codes(SECTIONS)}.",
        "`[]` is a list. `extension(name)` is the extension whose address ends with that name. "
        "Where several elements are named, the field goes to those that the note says, or to all. "
        "Where FHIR demands what the source did not give, a value is supplied and marked with the "
        "extension `supplied`; reading gives its absence back.",
        *(block for group in GROUPS for block in _group(*group)),
        "## Extensions of our own",
        "What French and international guides have no home for.",
        table(("Extension", "Says"), ((code(n), said) for n, said in OWN_EXTENSIONS.items())),
    )


def _group(title: str, intro: str, fields: tuple[Field, ...]) -> Iterator[str]:
    yield f"## {title}"
    yield intro
    rows = ((code(field.native), codes(field.fhir) or "–", field.note) for field in fields)
    yield table(("Native field", "FHIR", "Note"), rows)
