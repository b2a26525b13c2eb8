"""The page of transmission states: what becomes of a document sent by secure mail."""

from passerelle.dossiers.mailing.transmission_states import (
    EVENT_URL,
    EVENTS_MAX,
    FHIR_STATUS,
    NEXT,
    STATE_URL,
)
from tools.reference_markdown import code, codes, page, table

MEANINGS = {
    "queued": "asked for; Communication and job are written",
    "sending": "an SMTP dialogue was begun",
    "uncertain": "the dialogue broke after the message was handed over; the same bytes go again",
    "sent": "the operator has taken the message",
    "relayed": "handed to another system, which tells nothing further by itself",
    "delivered": "in the recipient's mailbox (delivery report)",
    "read": "opened by the recipient (read receipt)",
    "failed": "refused, or given up after the last try",
    "cancelled": "withdrawn before it was sent",
}
"""What each state says. The tests want a line for every state."""


def write() -> str:
    """Write the page."""
    rows = (
        (
            code(state),
            MEANINGS.get(state, ""),
            codes(after) or "– (an end)",
            code(FHIR_STATUS[state]),
        )
        for state, after in NEXT.items()
    )
    return page(
        "Transmission states",
        "One Communication stands for one document sent to one recipient. Its state only goes "
        "forward. An event that comes late, such as a delivery report after the read receipt, is "
        "recorded without taking the state back.",
        table(("State", "Says", "May go to", "`Communication.status`"), rows),
        f"The state is the extension {code(STATE_URL)} of the Communication; each event is an "
        f"extension {code(EVENT_URL)} with `state`, `at` and, when there is one, `code`. At most "
        f"{EVENTS_MAX} events are recorded on it; the raw messages are all kept.",
    )
