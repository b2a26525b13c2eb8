"""Codes of iCalendar beside those of Appointment.

https://www.rfc-editor.org/rfc/rfc5545#section-3.8.1.11 (STATUS), #section-3.2.12 (PARTSTAT) and
https://interop.esante.gouv.fr/ig/fhir/gap/ , "Équivalence avec iCalendar".
"""

from collections.abc import Mapping

STATUS: Mapping[str, str] = {
    "proposed": "TENTATIVE",
    "pending": "TENTATIVE",
    "waitlist": "TENTATIVE",
    "booked": "CONFIRMED",
    "arrived": "CONFIRMED",
    "checked-in": "CONFIRMED",
    "fulfilled": "CONFIRMED",
    "noshow": "CONFIRMED",
    "cancelled": "CANCELLED",
    "entered-in-error": "CANCELLED",
}
"""Appointment.status to STATUS: several say the same there."""

NATIVE_STATUS: Mapping[str, str] = {
    "TENTATIVE": "proposed",
    "CONFIRMED": "booked",
    "CANCELLED": "cancelled",
}
"""STATUS to the status of a native appointment, where it had none that says the same."""

ANSWERS: Mapping[str, str] = {
    "accepted": "ACCEPTED",
    "declined": "DECLINED",
    "tentative": "TENTATIVE",
    "needs-action": "NEEDS-ACTION",
}
"""Appointment.participant.status to PARTSTAT, and back."""

NATIVE_ANSWERS: Mapping[str, str] = {there: here for here, there in ANSWERS.items()}

ROLES: Mapping[str, str] = {
    "required": "REQ-PARTICIPANT",
    "optional": "OPT-PARTICIPANT",
    "information-only": "NON-PARTICIPANT",
}
"""Appointment.participant.required to ROLE."""

REFERENCE = "X-PASSERELLE-REFERENCE"
"""Parameter of an ORGANIZER or ATTENDEE: the resource that it is, where it came from us."""
