"""An IMAP4rev1 server for the mailboxes of the simulated operator, one INBOX each.

CAPABILITY, NOOP, LOGOUT, STARTTLS, LOGIN, AUTHENTICATE PLAIN, LIST, STATUS, SELECT, EXAMINE,
SEARCH, FETCH, STORE (each with UID too), EXPUNGE, CLOSE, UNSELECT, CHECK, IDLE. No
LOGIN before TLS. https://www.rfc-editor.org/rfc/rfc3501#section-6 ; IDLE:
https://www.rfc-editor.org/rfc/rfc2177
"""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable
from functools import partial

from passerelle.simulation.imap_connection import ImapConnection
from passerelle.simulation.imap_fetch import items
from passerelle.simulation.imap_grammar import SyntaxFault, Word, search, text_of, words
from passerelle.simulation.imap_view import View
from passerelle.simulation.mailboxes import Mailbox, Mailboxes

IDLE_MAX_SECONDS = 1_740
STORED_FLAGS = "\\Answered \\Flagged \\Deleted \\Seen \\Draft"


class _Refused(Exception):
    """A command that makes sense and cannot be done (answered NO)."""


class ImapSession:
    """One connection, from greeting to goodbye."""

    def __init__(self, connection: ImapConnection, mailboxes: Mailboxes) -> None:
        self._connection = connection
        self._mailboxes = mailboxes
        self._owner: Mailbox | None = None  # logged in
        self._view: View | None = None  # of the selected mailbox
        self._over = False
        self._upgrades = False
        self._commands: dict[str, Callable[[list[Word]], Awaitable[str]]] = {
            "CAPABILITY": self._capability,
            "NOOP": self._noop,
            "CHECK": self._noop,
            "LOGOUT": self._logout,
            "STARTTLS": self._starttls,
            "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate,
            "LIST": self._list,
            "STATUS": self._status,
            "SELECT": partial(self._select, read_only=False),
            "EXAMINE": partial(self._select, read_only=True),
            "CLOSE": self._close,
            "UNSELECT": self._unselect,
            "EXPUNGE": self._expunge,
            "IDLE": self._idle,
            "SEARCH": partial(self._search, by_uid=False),
            "FETCH": partial(self._fetch, by_uid=False),
            "STORE": partial(self._store, by_uid=False),
            "UID": self._uid,
        }

    async def serve(self) -> None:
        """Answer commands until the client leaves."""
        try:
            self._connection.say(f"* OK [CAPABILITY {self._connection.abilities()}] ready")
            await self._connection.writer.drain()
            while not self._over:
                pieces = await self._connection.read_command()
                if pieces is None:
                    break
                await self._answer(pieces)
                await self._connection.writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the client is gone, or does not speak IMAP
        except asyncio.CancelledError:
            self._connection.writer.transport.abort()  # the operator stops
        finally:
            self._connection.writer.close()

    async def _answer(self, pieces: list[bytes]) -> None:
        tag, _, rest = pieces[0].partition(b" ")
        try:
            command = words([rest, *pieces[1:]])
            if not command:
                raise SyntaxFault("no command")
            run = self._commands.get(text_of(command[0]).upper())
            if run is None:
                raise SyntaxFault("unknown command")
            said = await run(command[1:])
        except SyntaxFault as fault:
            said = f"BAD {fault}"
        except IndexError:
            said = "BAD missing argument"
        except _Refused as refusal:
            said = f"NO {refusal}"
        self._connection.say(f"{tag.decode('ascii', 'replace')} {said}")
        if self._upgrades:  # after the answer, which is the last thing said in clear text
            self._upgrades = False
            await self._connection.upgrade()

    async def _capability(self, _: list[Word]) -> str:
        self._connection.say(f"* CAPABILITY {self._connection.abilities()}")
        return "OK done"

    async def _noop(self, _: list[Word]) -> str:
        self._tell_changes()
        return "OK done"

    async def _logout(self, _: list[Word]) -> str:
        self._connection.say("* BYE")
        self._over = True
        return "OK done"

    async def _starttls(self, _: list[Word]) -> str:
        if self._connection.private or self._connection.context is None:
            raise SyntaxFault("STARTTLS not offered")
        self._upgrades = True
        return "OK begin TLS"

    async def _login(self, arguments: list[Word]) -> str:
        return self._welcome(text_of(arguments[0]), text_of(arguments[1]))

    async def _authenticate(self, arguments: list[Word]) -> str:
        """Take a name and a password that are not ASCII (RFC 4616)."""
        if text_of(arguments[0]).upper() != "PLAIN":
            raise SyntaxFault("PLAIN only")
        self._connection.say("+ ")
        await self._connection.writer.drain()
        try:
            answer = b64decode(await self._connection.reader.readline())
            _, name, password = answer.decode("utf-8").split("\0")
        except ValueError:
            raise SyntaxFault("unreadable answer") from None
        return self._welcome(name, password)

    def _welcome(self, name: str, password: str) -> str:
        if not self._connection.private:
            raise _Refused("[PRIVACYREQUIRED] STARTTLS first")
        mailbox = self._mailboxes.find(name)
        if mailbox is None or mailbox.password != password:
            raise _Refused("[AUTHENTICATIONFAILED] unknown user or password")
        self._owner = mailbox
        return f"OK [CAPABILITY {self._connection.abilities()}] welcome"

    def _demand_owner(self) -> Mailbox:
        if self._owner is None:
            raise SyntaxFault("log in first")
        return self._owner

    def _demand_view(self) -> View:
        if self._view is None:
            raise SyntaxFault("select a mailbox first")
        return self._view

    def _demand_writable(self) -> View:
        view = self._demand_view()
        if view.read_only:
            raise _Refused("read only")
        return view

    async def _list(self, arguments: list[Word]) -> str:
        self._demand_owner()
        pattern = text_of(arguments[1]).upper()
        if pattern == "":
            self._connection.say('* LIST (\\Noselect) "/" ""')
        elif pattern in ("*", "%", "INBOX"):
            self._connection.say('* LIST (\\HasNoChildren) "/" "INBOX"')
        return "OK done"

    async def _status(self, arguments: list[Word]) -> str:
        mailbox = self._inbox(arguments[0])
        asked = arguments[1] if isinstance(arguments[1], list) else [arguments[1]]
        known = mailbox.status()
        names = [text_of(name).upper() for name in asked]
        if not known.keys() >= set(names):
            raise SyntaxFault("unknown status item")
        self._connection.say(
            f'* STATUS "INBOX" ({" ".join(f"{name} {known[name]}" for name in names)})'
        )
        return "OK done"

    def _inbox(self, name: Word) -> Mailbox:
        owner = self._demand_owner()
        if text_of(name).upper() != "INBOX":
            raise _Refused("[NONEXISTENT] no such mailbox")
        return owner

    async def _select(self, arguments: list[Word], *, read_only: bool) -> str:
        self._view = None
        mailbox = self._inbox(arguments[0])
        self._view = View(mailbox, read_only=read_only)
        self._connection.say(f"* {len(self._view)} EXISTS")
        self._connection.say("* 0 RECENT")
        self._connection.say(f"* FLAGS ({STORED_FLAGS})")
        self._connection.say(f"* OK [PERMANENTFLAGS ({'' if read_only else STORED_FLAGS})] kept")
        self._connection.say(f"* OK [UIDVALIDITY {mailbox.uidvalidity}] numbers")
        self._connection.say(f"* OK [UIDNEXT {mailbox.uidnext}] next")
        return f"OK [{'READ-ONLY' if read_only else 'READ-WRITE'}] done"

    async def _close(self, _: list[Word]) -> str:
        view = self._demand_view()
        if not view.read_only:
            view.remove_deleted()
        return await self._unselect([])

    async def _unselect(self, _: list[Word]) -> str:
        self._demand_view()
        self._view = None
        return "OK done"

    async def _expunge(self, _: list[Word]) -> str:
        self._demand_writable().remove_deleted()
        self._tell_changes()
        return "OK done"

    def _tell_changes(self) -> None:
        if self._view is not None:
            for change in self._view.changes():
                self._connection.say(change)

    async def _idle(self, _: list[Word]) -> str:
        mailbox = self._demand_view().mailbox
        self._connection.say("+ idling")
        await self._connection.writer.drain()
        done = asyncio.ensure_future(self._connection.reader.readline())
        try:
            with mailbox.watched() as event:
                async with asyncio.timeout(IDLE_MAX_SECONDS):
                    while not done.done():
                        event.clear()
                        self._tell_changes()
                        await self._connection.writer.drain()
                        change = asyncio.ensure_future(event.wait())
                        await asyncio.wait({done, change}, return_when=asyncio.FIRST_COMPLETED)
                        change.cancel()
        finally:
            done.cancel()
        if done.result().strip().upper() != b"DONE":
            raise SyntaxFault("DONE expected")
        return "OK done"

    async def _uid(self, arguments: list[Word]) -> str:
        name = text_of(arguments[0]).upper()
        known = {"SEARCH": self._search, "FETCH": self._fetch, "STORE": self._store}
        if name not in known:
            raise SyntaxFault("unknown UID command")
        return await known[name](arguments[1:], by_uid=True)

    async def _search(self, arguments: list[Word], *, by_uid: bool) -> str:
        view = self._demand_view()
        if by_uid:
            self._tell_changes()
        present = view.messages()
        highest_uid = present[-1][1].uid if present else 0
        key = search(arguments, highest_number=len(view), highest_uid=highest_uid)
        found = [message.uid if by_uid else n for n, message in present if key(n, message)]
        self._connection.say(" ".join(["* SEARCH", *map(str, found)]))
        return "OK done"

    async def _fetch(self, arguments: list[Word], *, by_uid: bool) -> str:
        view = self._demand_view()
        asked = items(arguments[1:])
        if by_uid and all(item.name != "UID" for item in asked):
            asked = [*items(["UID"]), *asked]
        sees = not view.read_only and any(not item.peek for item in asked)
        for number, message in view.chosen(text_of(arguments[0]), by_uid=by_uid):
            if sees:
                view.mailbox.flag(message.uid, message.flags | {"\\Seen"})
            values = b" ".join(item.value(message) for item in asked)
            self._connection.writer.write(b"* %d FETCH (%b)\r\n" % (number, values))
            await self._connection.writer.drain()
        return "OK done"

    async def _store(self, arguments: list[Word], *, by_uid: bool) -> str:
        view = self._demand_writable()
        how, _, silent = text_of(arguments[1]).upper().partition(".")
        flags = arguments[2] if isinstance(arguments[2], list) else arguments[2:]
        named = {text_of(flag) for flag in flags}
        if how not in ("FLAGS", "+FLAGS", "-FLAGS") or silent not in ("", "SILENT"):
            raise SyntaxFault("FLAGS, +FLAGS or -FLAGS")
        for number, message in view.chosen(text_of(arguments[0]), by_uid=by_uid):
            view.mailbox.flag(message.uid, _changed(message.flags, how, named))
            if not silent:
                uid = f"UID {message.uid} " if by_uid else ""
                shown = " ".join(sorted(message.flags))
                self._connection.say(f"* {number} FETCH ({uid}FLAGS ({shown}))")
        return "OK done"


def _changed(flags: set[str], how: str, named: set[str]) -> set[str]:
    if how == "FLAGS":
        return set(named)
    return flags | named if how == "+FLAGS" else flags - named
