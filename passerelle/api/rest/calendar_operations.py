"""Operations of our own: ``$agenda``, what somebody takes part in as iCalendar; ``$respond``, an
answer to an invitation.

https://hl7.org/fhir/R4/operations.html , https://www.rfc-editor.org/rfc/rfc5545
"""

from datetime import UTC, datetime, timedelta

from passerelle.api.rest import responses
from passerelle.api.rest.binary_results import binary
from passerelle.api.rest.operation import Invocation, Operation
from passerelle.api.rest.person_operations import moment
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.instants import at
from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.urls import PASSERELLE

CALENDAR_TYPE = "text/calendar; charset=utf-8"
WINDOW_DAYS = 92
"""How long a window is whose end is not said."""

WINDOW_DAYS_MAX = 800
PARTIES = frozenset({"Patient", "Practitioner", "PractitionerRole"})


async def agenda(repository: Repository, asked: Invocation) -> Reply:
    """Give the calendar of somebody; between ``start`` and ``end`` each time on its own.

    Raises Invalid for a window without a start, turned round or too long.
    """
    from passerelle.dossiers.agenda.calendars_out import of_party
    from passerelle.mappers.icalendar.calendar_write import Window

    low, high = asked.one("start"), asked.one("end")
    window = None
    if low is not None or high is not None:
        window = Window(*_window(low, high))
    return binary(CALENDAR_TYPE, await of_party(repository, asked.key, window))


def _window(low: str | None, high: str | None) -> tuple[datetime, datetime]:
    if low is None:
        raise Invalid(issue("agenda.window", "start", days=WINDOW_DAYS_MAX))
    begins = at(moment("start", low).low)
    ends = begins + timedelta(days=WINDOW_DAYS) if high is None else at(moment("end", high).high)
    if not begins < ends <= begins + timedelta(days=WINDOW_DAYS_MAX):
        raise Invalid(issue("agenda.window", "end", days=WINDOW_DAYS_MAX))
    return begins.astimezone(UTC), ends.astimezone(UTC)


async def respond(repository: Repository, asked: Invocation) -> Reply:
    """Keep an AppointmentResponse and move the participant's status: the Appointment as it is now.

    Raises Invalid without a response, and what ``responding.respond`` raises.
    """
    from passerelle.dossiers.agenda.responding import respond as answer

    await answer(repository, asked.key, asked.one("resource"))
    return responses.served(await repository.read(asked.key))


OPERATIONS = (
    Operation(
        "respond",
        PASSERELLE + "/OperationDefinition/Appointment-respond",
        frozenset({"instance"}),
        respond,
        types=frozenset({"Appointment"}),
        inputs=(Input("resource", "Resource", required=True),),
        affects_state=True,
        returns="Appointment",
        title="Répondre à un rendez-vous",
    ),
    Operation(
        "agenda",
        PASSERELLE + "/OperationDefinition/agenda",
        frozenset({"instance"}),
        agenda,
        types=PARTIES,
        inputs=(Input("start", "date"), Input("end", "date")),
        returns="Binary",
        title="Agenda de quelqu'un, au format iCalendar",
    ),
)
