"""Logs as JSON lines, without personal data: one line per request, and what goes wrong.

No path, no query, no body, no message of an exception ever comes here: only what is on the list of
fields below passes, whoever logs it.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from passerelle.api.errors import frames

FIELDS = frozenset(
    {
        "account",
        "action",
        "at",
        "attempts",
        "bind",
        "count",
        "database",
        "event",
        "fault",
        "file",
        "frames",
        "job",
        "kind",
        "level",
        "logger",
        "method",
        "ms",
        "nearest",
        "package",
        "reason",
        "reference",
        "request",
        "route",
        "rule",
        "rules",
        "seconds",
        "setting",
        "signal",
        "state",
        "status",
        "version",
        "workers",
    }
)
"""The fields that may stand in a line; all others are left out before it is written."""

LEVELS = ("debug", "info", "warning", "error")
OWN_WORDS = ("uvicorn", "passerelle")
"""Loggers whose messages are made of their own words; of others only the name is told."""


def configure(level: str) -> None:
    """Send structlog and the standard logging to stderr as JSON lines, from ``level`` on."""
    number = logging.getLevelName(level.upper())
    structlog.configure(
        processors=[write_line],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine())
    logging.basicConfig(handlers=[handler], level=max(number, logging.INFO), force=True)


def write_line(_: Any, level: str, event: structlog.typing.EventDict) -> bytes:
    """Make the line of an event, without the fields that are not on the list.

    One processor of structlog for all that there is to do: it runs once for every request.
    """
    kept = {name: value for name, value in event.items() if name in FIELDS}
    kept["level"] = level
    kept["at"] = datetime.now(UTC)
    return orjson.dumps(kept, default=str, option=orjson.OPT_UTC_Z)


class _OneLine(logging.Formatter):
    """A record of the standard logging as one JSON line, an exception without its message."""

    def format(self, record: logging.LogRecord) -> str:
        own = record.name.split(".", 1)[0] in OWN_WORDS
        line: dict[str, object] = {
            "event": record.getMessage() if own else "library",
            "level": record.levelname.lower(),
            "logger": record.name,
            "at": datetime.fromtimestamp(record.created, UTC),
        }
        fault = record.exc_info[1] if record.exc_info else None
        if fault is not None:
            line |= {"fault": type(fault).__name__, "frames": frames(fault)}
        return orjson.dumps(line, option=orjson.OPT_UTC_Z).decode()
