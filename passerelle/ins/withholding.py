"""Set a matricule that may not leave apart from the body that is served, and put it back.

House section 4: a matricule that may not leave is not in the body that is served; it stands apart,
where only the identity rules read it (EXI ID 29,
https://esante.gouv.fr/sites/default/files/media/document/ANS_Guide-Implementation-INS_V3.0.pdf ).
"""

from collections.abc import Iterable
from html import unescape
from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.ins.patient_identity import Held, PatientIdentity, matricules, read
from passerelle.ins.transmission import may_leave

NUMBER_LENGTH = 13


def withheld(identity: PatientIdentity) -> tuple[Held, ...]:
    """Give the matricules that may not leave with this identity.

    Whether OIDs of test are admitted was decided at the door, so here they are as real ones.
    """
    return tuple(
        held
        for held in identity.matricules
        if not may_leave(identity.status, held.oid or "", identity.traits, allow_test=True)
    )


def withheld_positions(patient: Resource) -> dict[int, str | None]:
    """Give the numbers that may not leave with a Patient, by their position in its identifiers."""
    return {held.position: held.number for held in withheld(read(patient))}


def withhold(patient: Resource) -> tuple[Resource, Resource | None]:
    """Give the Patient without the matricules that may not leave, and these apart, or None.

    What stands apart is ``{"identifier": [[position, identifier], …]}`` and, when the narrative
    repeats a number, ``"text"`` with it. The Patient that came in is not changed.
    """
    if not matricules(patient):
        return patient, None
    numbers = withheld_positions(patient)
    if not numbers:
        return patient, None
    identifiers = patient["identifier"]
    rest = [entry for position, entry in enumerate(identifiers) if position not in numbers]
    served = {**patient, "identifier": rest}
    aside: dict[str, Any] = {
        "identifier": [[position, identifiers[position]] for position in sorted(numbers)]
    }
    if not rest:
        del served["identifier"]  # an empty list is no FHIR JSON
    if "text" in patient and tells(narrative_of(patient), numbers.values()):
        aside["text"] = served.pop("text")
    return served, aside


def rejoin(patient: Resource, aside: Resource | None) -> Resource:
    """Put back what :func:`withhold` set apart; the law is ``rejoin(*withhold(p)) == p``.

    A Patient that was written anew in between keeps its newer narrative.
    """
    if aside is None:
        return patient
    whole = dict(patient)
    identifiers = list(whole.get("identifier", ()))
    for position, identifier in aside["identifier"]:
        identifiers.insert(position, identifier)
    whole["identifier"] = identifiers
    if "text" in aside and "text" not in whole:
        whole["text"] = aside["text"]
    return whole


def narrative_of(resource: Resource) -> str:
    """Give the XHTML of a resource's narrative, empty when there is none."""
    narrative = resource.get("text")
    div = narrative.get("div") if isinstance(narrative, dict) else None
    return div if isinstance(div, str) else ""


def tells(text: str, numbers: Iterable[str | None]) -> bool:
    """Tell whether a text repeats one of the numbers, with or without its key.

    Tags, blanks, points and letter case apart: ``2&nbsp;79 03 <b>51</b>…`` repeats one.
    """
    said = _compact(_untagged(text))
    shortest = {_compact(number)[:NUMBER_LENGTH] for number in numbers if number}
    return any(len(number) == NUMBER_LENGTH and number in said for number in shortest)


def _untagged(text: str) -> str:
    """Leave out what stands between ``<`` and ``>``, in one pass however many are not closed."""
    kept, at = [], 0
    while (start := text.find("<", at)) >= 0 and (end := text.find(">", start)) >= 0:
        kept.append(text[at:start])
        at = end + 1
    return "".join(kept) + text[at:]


def _compact(text: str) -> str:
    return "".join(character for character in unescape(text) if character.isalnum()).upper()
