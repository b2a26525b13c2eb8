"""The mailboxes of the simulated operator: in memory, and on disk when a folder is given.

On disk a mail is one file ``<uid>.eml`` that is there whole or not at all, with its flags beside
it, so that it survives the death of the process.
https://www.rfc-editor.org/rfc/rfc3501#section-2.3.1.1
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]


@dataclass(slots=True)
class Message:
    """One mail in a mailbox."""

    uid: int
    raw: bytes
    received_at: datetime
    flags: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What happens to a mail once it is in the mailbox.

    ``reads``: an MDN "displayed" goes back, after ``reads_after_seconds``. ``integrates``: an
    MDN "processed". ``refuses``: an MDN of failure with this code and label. ``bounces``: the
    mail is taken at the door, then comes back undelivered with this status (``5.2.1``).
    ``is_away``: an automatic reply goes back.
    """

    reads: bool = False
    reads_after_seconds: float = 0.0
    integrates: bool = False
    refuses: tuple[str, str] | None = None
    bounces: str | None = None
    is_away: bool = False


class Mailbox:
    """One mailbox: its mails by UID, and who waits for the next one."""

    def __init__(
        self,
        address: str,
        password: str,
        *,
        clock: Clock,
        uidvalidity: int = 1,
        size_max_bytes: int = 25_000_000,
        behaviour: Behaviour | None = None,
        folder: Path | None = None,
    ) -> None:
        self.address = address
        self.password = password
        self.uidvalidity = uidvalidity
        self.size_max_bytes = size_max_bytes
        self.behaviour = behaviour or Behaviour()
        self.messages: dict[int, Message] = {}
        self._clock = clock
        self._folder = folder
        self._last_uid = 0
        self._waiting: set[asyncio.Event] = set()
        if folder is not None:
            self._load(folder)

    @property
    def uidnext(self) -> int:
        """The UID that the next mail will have."""
        return self._last_uid + 1

    def status(self) -> dict[str, int]:
        """Give the counts that IMAP tells of a mailbox."""
        return {
            "MESSAGES": len(self.messages),
            "RECENT": 0,
            "UIDNEXT": self.uidnext,
            "UIDVALIDITY": self.uidvalidity,
            "UNSEEN": sum("\\Seen" not in each.flags for each in self.messages.values()),
        }

    def deliver(self, raw: bytes) -> int:
        """Put a mail in the mailbox; give its UID once it is kept."""
        message = Message(self.uidnext, raw, self._clock())
        if self._folder is not None:
            _write(self._folder / f"{message.uid}.eml", raw)
        self._last_uid = message.uid
        self.messages[message.uid] = message
        self._tell()
        return message.uid

    def flag(self, uid: int, flags: set[str]) -> None:
        """Give a mail these flags and no others."""
        self.messages[uid].flags = flags
        if self._folder is not None:
            _write(self._folder / f"{uid}.flags", " ".join(sorted(flags)).encode("utf-8"))

    def expunge(self, uid: int) -> None:
        """Remove a mail for ever; its number is not given again."""
        del self.messages[uid]
        if self._folder is not None:
            _write(self._folder / "last-uid", str(self._last_uid).encode("ascii"))
            (self._folder / f"{uid}.eml").unlink(missing_ok=True)
            (self._folder / f"{uid}.flags").unlink(missing_ok=True)
        self._tell()

    def renumber(self, uidvalidity: int) -> None:
        """Forget all numbers, as a restored mailbox does (in memory only)."""
        kept = list(self.messages.values())
        self.uidvalidity = uidvalidity
        self.messages = {}
        self._last_uid = 0
        for message in kept:
            self._last_uid += 1
            message.uid = self._last_uid
            self.messages[message.uid] = message
        self._tell()

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """Give an event that is set when a mail comes or goes."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)

    async def holds(self, count: int) -> list[Message]:
        """Wait until the mailbox holds so many mails, and give them."""
        with self.watched() as event:
            while len(self.messages) < count:
                event.clear()
                await event.wait()
        return list(self.messages.values())

    def _tell(self) -> None:
        for event in self._waiting:
            event.set()

    def _load(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        last = folder / "last-uid"
        self._last_uid = int(last.read_text()) if last.exists() else 0
        for file in sorted(folder.glob("*.eml"), key=lambda file: int(file.stem)):
            received = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            message = Message(int(file.stem), file.read_bytes(), received)
            flags = file.with_suffix(".flags")
            if flags.exists():
                message.flags = set(flags.read_text().split())
            self.messages[message.uid] = message
            self._last_uid = max(self._last_uid, message.uid)


class Mailboxes:
    """All the mailboxes of an operator, by address in lower case."""

    def __init__(self, *, clock: Clock, folder: Path | None = None) -> None:
        self._clock = clock
        self._folder = folder
        self._by_address: dict[str, Mailbox] = {}

    def create(
        self,
        address: str,
        password: str,
        *,
        behaviour: Behaviour | None = None,
        size_max_bytes: int = 25_000_000,
    ) -> Mailbox:
        """Open a mailbox; one that is on disk already keeps its mails."""
        folder = None if self._folder is None else self._folder / address.lower()
        mailbox = Mailbox(
            address,
            password,
            clock=self._clock,
            size_max_bytes=size_max_bytes,
            behaviour=behaviour,
            folder=folder,
        )
        self._by_address[address.lower()] = mailbox
        return mailbox

    def find(self, address: str) -> Mailbox | None:
        """Give the mailbox of an address, or None."""
        return self._by_address.get(address.lower())

    def domains(self) -> set[str]:
        """Give the domains that mail is taken for."""
        return {address.rpartition("@")[2] for address in self._by_address}


def _write(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole, or not at all, whatever happens."""
    draft = file.with_suffix(".draft")
    with draft.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
