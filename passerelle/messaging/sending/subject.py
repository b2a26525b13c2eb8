"""The subject of a mail that carries documents, and the names of its PDF copies.

Référentiel socle MSSanté #2: ECO.2.1.3 ``XDM/1.0/DDM+<libellé> <NOM> <prenom> <dd/mm/yyyy>``,
ECO.2.1.6 ``<AAAAMMJJ>_<type>_<NOM>_<prenom>[_<n° dossier>].pdf``, ECO.3.1.3 (the prefix is not
shown). Failure subjects: ``[KO Intégration système !][<code>] XDM/1.0/DDM+…``.
https://interop.esante.gouv.fr/ig/hl7v2/trans-cda-mss/
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.characters import ByCharacter
from passerelle.messaging.sending.header_text import has_control

PREFIX = "XDM/1.0/DDM+"
LABEL_MAX = 128
NAME_MAX = 60
TYPE_MAX = 40
"""ECO.2.1.6 cuts the type of the document there."""

_XDM = re.compile(r"XDM/1\.0/DDM\+?\s*", re.IGNORECASE)
_KO = re.compile(
    r"\[\s*(?:KO\b|Erreur\s+d.int[eé]gration)[^\]]{0,60}\]\s*(?:\[\s*(\d{3})\s*\])?", re.IGNORECASE
)
_BIRTH_DATE = re.compile(r"(?<!\s)\s++(\d{2})/(\d{2})/(\d{4})\s*\Z")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a subject says: a failure and its code, an archive attached, the text for people.

    ``text`` is what ECO.3.1.3 lets one show, without prefix nor birth date. It does not tell the
    label from the names: the patient is known by METADATA.XML only (ECO.2.1.2).
    """

    refused: bool
    code: str | None
    xdm: bool
    text: str = field(repr=False)
    birth_date: date | None = field(repr=False)


def xdm_subject(*, label: str, family: str, given: str, birth_date: date | None = None) -> str:
    """Give the subject of a mail that carries an IHE_XDM archive about one person.

    The family name stands in capitals. Raises Unprocessable when the label or a name is missing
    (mss.subject-part-missing) or holds a control character (mss.control-character).
    """
    given_as = {"label": label, "family": family, "given": given}
    parts = {
        "label": _squeezed(label)[:LABEL_MAX],
        "family": _squeezed(family).upper()[:NAME_MAX],
        "given": _squeezed(given)[:NAME_MAX],
    }
    faults = [issue("mss.subject-part-missing", name) for name, text in parts.items() if not text]
    faults += [issue("mss.control-character", n) for n, t in given_as.items() if has_control(t)]
    if faults:
        raise Unprocessable(*faults)
    words = [*parts.values()]
    if birth_date is not None:
        words.append(f"{birth_date.day:02}/{birth_date.month:02}/{birth_date.year:04}")
    return PREFIX + " ".join(words)


def read_subject(subject: str) -> Heading:
    """Read a decoded subject, ours or another's, as far as it can be; never raises."""
    subject = _squeezed(subject)
    failure = _KO.search(subject)
    xdm = _XDM.search(subject)
    rest = subject[xdm.end() :] if xdm else _KO.sub("", subject).strip()
    dated = _BIRTH_DATE.search(rest)
    return Heading(
        refused=failure is not None,
        code=failure.group(1) if failure else None,
        xdm=xdm is not None,
        text=rest[: dated.start()] if dated else rest,
        birth_date=_birth_date(dated) if dated else None,
    )


def pdf_name(
    *, day: date, type_label: str, family: str, given: str, number: str | None = None
) -> str:
    """Give the file name of a PDF copy, in ASCII letters, digits and underscores.

    ``day`` is that of the documented act, ``type_label`` the displayName of the document's code.
    Raises Unprocessable (mss.subject-part-missing) when the type or a name leaves no letter.
    """
    parts = {
        "type_label": _file_word(type_label[:TYPE_MAX]),
        "family": _file_word(family).upper()[:NAME_MAX],
        "given": _file_word(given)[:NAME_MAX],
    }
    faults = [issue("mss.subject-part-missing", name) for name, text in parts.items() if not text]
    if faults:
        raise Unprocessable(*faults)
    words = [day.isoformat().replace("-", ""), *parts.values()]
    if number and _file_word(number):
        words.append(_file_word(number)[:NAME_MAX])
    return "_".join(words) + ".pdf"


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _file_word(text: str) -> str:
    letters = text.replace("œ", "oe").replace("Œ", "OE").translate(_IN_ASCII)
    return re.sub(r"[^A-Za-z0-9-]+", "_", letters).strip("_-")


def _in_ascii(char: str) -> str:
    return unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode("ascii")


_IN_ASCII = ByCharacter(_in_ascii)


def _birth_date(found: re.Match[str]) -> date | None:
    day, month, year = (int(group) for group in found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None
