"""One IMAP connection as a stream of commands and answers, which can be made private.

Commands come as lines with literals in between. https://www.rfc-editor.org/rfc/rfc3501#section-4.3
"""

import asyncio
import ssl

from passerelle.simulation.imap_grammar import LITERAL

LITERAL_MAX = 1_000_000
LITERALS_MAX = 20


class ImapConnection:
    """The two streams of a connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        context: ssl.SSLContext | None,
        *,
        private: bool,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.private = private
        self.context = context

    def abilities(self) -> str:
        """Give what CAPABILITY says at this point."""
        if self.private:
            return "IMAP4rev1 AUTH=PLAIN IDLE UNSELECT LITERAL+"
        return "IMAP4rev1 LOGINDISABLED" + (" STARTTLS" if self.context else "")

    def say(self, line: str) -> None:
        """Write one line."""
        self.writer.write(line.encode("utf-8") + b"\r\n")

    async def read_command(self) -> list[bytes] | None:
        """Read one command, text and literals by turns; None when the client is gone."""
        pieces: list[bytes] = []
        while len(pieces) <= 2 * LITERALS_MAX:
            line = await self.reader.readline()
            if not line:
                return None
            line = line.rstrip(b"\r\n")
            literal = LITERAL.search(line)
            if literal is None:
                return [*pieces, line]
            size = int(literal.group(1))
            if size > LITERAL_MAX:
                return None
            if not literal.group(2):
                self.say("+ go on")
                await self.writer.drain()
            pieces += [line[: literal.start()], await self.reader.readexactly(size)]
        return None

    async def upgrade(self) -> None:
        """Make the connection private; what was said before counts no more."""
        if self.context is not None:
            await self.writer.start_tls(self.context)
            self.private = True
