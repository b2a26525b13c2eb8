"""Why a gateway cannot start, in words for the one who starts it; the log has its own."""

import asyncio
import errno
import socket
from typing import TYPE_CHECKING

from passerelle.errors.refusals import Issue, PasserelleError
from passerelle.errors.rules import issue

if TYPE_CHECKING:
    from passerelle.settings import Settings

FAILED = 3
"""The exit code with which uvicorn ends when the start fails."""


def port_refusal(settings: "Settings") -> Issue | None:
    """Give what keeps from listening at the address of the settings; None when nothing does."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, *_, place = found[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as fault:
        taken = fault.errno == errno.EADDRINUSE
        rule = "settings.bind-taken" if taken else "settings.bind-impossible"
        return issue(rule, "PASSERELLE_BIND")
    return None


def why_not_started(settings: "Settings") -> tuple[Issue, ...]:
    """Open the record once more, and give what it is that refuses."""
    from passerelle.app import make_gateway, open_record

    async def open_and_close() -> None:
        gateway = make_gateway(settings)
        await open_record(gateway, settings)
        await gateway.store.close()

    try:
        asyncio.run(open_and_close())
    except PasserelleError as refusal:
        return refusal.issues
    except Exception:  # the driver's own, which is not known here
        return (issue("record.unavailable", "PASSERELLE_DATABASE_URL"),)
    return (issue("settings.not-started"),)
