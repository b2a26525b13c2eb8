"""The label of the sender, as the recipient reads it: Référentiel socle MSSanté #2, ECO.2.2.7.

A personal mailbox is ``<Titre>_<Prenom>_<NOM>_<Entité>``, an organisational or application
mailbox ``<Entité fonctionnelle>``. https://esante.gouv.fr/produits-services/mssante
"""

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue

LABEL_MAX = 120


def personal_label(*, given: str, family: str, title: str = "", entity: str = "") -> str:
    """Give the label of a person's mailbox; family name in capitals, parts joined by ``_``.

    Raises Unprocessable (mss.label-part-missing) without a given or a family name.
    """
    parts = [_part(title), _part(given), _part(family).upper(), _part(entity)]
    if not parts[1] or not parts[2]:
        raise Unprocessable(issue("mss.label-part-missing", "display"))
    return "_".join(part for part in parts if part)[:LABEL_MAX]


def functional_label(entity: str) -> str:
    """Give the label of an organisation's or an application's mailbox.

    Raises Unprocessable (mss.label-part-missing) for an empty one.
    """
    label = _part(entity)
    if not label:
        raise Unprocessable(issue("mss.label-part-missing", "display"))
    return label[:LABEL_MAX]


def _part(text: str) -> str:
    return " ".join(text.replace("_", " ").split())
