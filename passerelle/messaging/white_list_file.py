"""The white list as its file on disk says: read again when the file has changed."""

from pathlib import Path

import structlog

from passerelle.errors.refusals import PasserelleError, Unavailable
from passerelle.errors.rules import issue
from passerelle.messaging.white_list import WhiteList, parse

log = structlog.get_logger("passerelle.white_list")


class WhiteListFile:
    """The list in force. A new file that cannot be read leaves the last good one in force."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._list: WhiteList | None = None

    def __call__(self) -> WhiteList:
        """Give the list. Until there is a good one, raises what its reading raises.

        That is Unavailable (mss.white-list-missing) or the refusals of ``white_list.parse``.
        """
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if self._list is None or stamp != self._stamp:
                self._stamp = stamp  # one reading for each change, good or not
                self._list = parse(self.path.read_bytes())
        except OSError as fault:
            if self._list is None:
                raise Unavailable(issue("mss.white-list-missing")) from fault
            log.warning("white_list.kept", fault=type(fault).__name__)
        except PasserelleError as refusal:
            if self._list is None:
                raise
            log.warning("white_list.kept", rule=str(refusal))
        return self._list
