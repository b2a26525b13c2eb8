"""Why a gateway cannot start, in words for the one who starts it; the log has its own."""

import asyncio
import errno
import os
import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from passerelle.errors.refusals import Issue, PasserelleError
from passerelle.errors.rules import issue

if TYPE_CHECKING:
    from passerelle.settings import Settings

FAILED = 3
"""The exit code with which uvicorn ends when the start fails."""

NOT_SETTINGS = ("PASSERELLE_CONFIG", "PASSERELLE_LANG", "PASSERELLE_SERVER")
"""Variables that are ours, but of the file, of the language and of the commands that ask."""

TOLD_MAX = 20
NAME_MAX = 60


def unknown_variables(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give each variable that has our prefix and is no setting, with the setting nearest to it.

    The second is empty where nothing is near. Values are not looked at.
    """
    from passerelle.settings import PREFIX, Settings

    known = [*NOT_SETTINGS, *(PREFIX + name.upper() for name in Settings.model_fields)]
    unknown = {name for name in names if name.upper().startswith(PREFIX)}
    for name in sorted(name for name in unknown if name.upper() not in known)[:TOLD_MAX]:
        from difflib import get_close_matches

        cut = name[:NAME_MAX]
        yield cut, next(iter(get_close_matches(cut.upper(), known, n=1, cutoff=0.8)), "")


def tell_unknown_variables() -> None:
    """Warn in the log of variables that would be settings, were they not misspelt."""
    import structlog

    log = structlog.get_logger("passerelle.cli")
    for name, nearest in unknown_variables(os.environ):
        log.warning("settings.unknown", setting=name, nearest=nearest)


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
