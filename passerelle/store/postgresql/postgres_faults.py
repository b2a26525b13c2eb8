"""What PostgreSQL's failures mean to the one who asked.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from asyncpg import exceptions

from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue

AWAY = (
    exceptions.PostgresConnectionError,
    exceptions.InterfaceError,
    exceptions.InternalClientError,
    exceptions.OperatorInterventionError,  # shut down, restarting, or the statement took too long
    exceptions.InsufficientResourcesError,
    exceptions.ReadOnlySQLTransactionError,
    exceptions.IdleInTransactionSessionTimeoutError,
    exceptions.InvalidAuthorizationSpecificationError,
    exceptions.InvalidCatalogNameError,
    OSError,
    TimeoutError,
)
FULL = (exceptions.DiskFullError,)
BUSY = (exceptions.LockNotAvailableError, exceptions.TooManyConnectionsError)
AGAIN = (exceptions.DeadlockDetectedError, exceptions.SerializationError)
"""Nothing was written, and a second attempt may well succeed."""

MET = (*AGAIN, exceptions.LockNotAvailableError)
"""Another transaction was in the way of one of the units."""

GONE = (
    exceptions.PostgresConnectionError,
    exceptions.InterfaceError,
    exceptions.AdminShutdownError,
    exceptions.CrashShutdownError,
    exceptions.IdleInTransactionSessionTimeoutError,
    OSError,
)
"""The connection broke, or the server ended it; a reading may be done again on another."""

LOST = (*GONE, TimeoutError)
"""The connection broke: whether a commit that was under way took place is not known."""


def unavailable(fault: BaseException) -> Unavailable | None:
    """Give the refusal for a failure of the server or the way to it; None for a fault of ours."""
    if isinstance(fault, FULL):
        return Unavailable(issue("record.full"))
    if isinstance(fault, (*BUSY, *AGAIN)):
        return Unavailable(issue("record.busy"))
    if isinstance(fault, AWAY):
        return Unavailable(issue("record.unavailable"))
    return None
