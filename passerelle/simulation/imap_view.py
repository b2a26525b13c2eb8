"""A mailbox as one IMAP session has been told of it: sequence numbers that change by telling.

https://www.rfc-editor.org/rfc/rfc3501#section-7.4.1
"""

from collections.abc import Iterator

from passerelle.simulation.imap_grammar import number_set
from passerelle.simulation.mailboxes import Mailbox, Message


class View:
    """The selected mailbox, and the UIDs in the order in which the session numbers them."""

    def __init__(self, mailbox: Mailbox, *, read_only: bool) -> None:
        self.mailbox = mailbox
        self.read_only = read_only
        self._uids = sorted(mailbox.messages)

    def __len__(self) -> int:
        return len(self._uids)

    def changes(self) -> Iterator[str]:
        """Give what is to be told of what has gone and what has come, and count it as told."""
        for place in range(len(self._uids) - 1, -1, -1):
            if self._uids[place] not in self.mailbox.messages:
                del self._uids[place]
                yield f"* {place + 1} EXPUNGE"
        last = self._uids[-1] if self._uids else 0
        new = sorted(uid for uid in self.mailbox.messages if uid > last)
        if new:
            self._uids += new
            yield f"* {len(self._uids)} EXISTS"

    def messages(self) -> list[tuple[int, Message]]:
        """Give the mails that are still there, each with its sequence number."""
        kept = self.mailbox.messages
        return [(number, kept[uid]) for number, uid in enumerate(self._uids, 1) if uid in kept]

    def chosen(self, numbers: str, *, by_uid: bool) -> list[tuple[int, Message]]:
        """Give the mails that a set of numbers names; raises SyntaxFault."""
        present = self.messages()
        highest = present[-1][1].uid if by_uid and present else len(self._uids)
        wanted = number_set(numbers, highest)
        return [(n, each) for n, each in present if wanted(each.uid if by_uid else n)]

    def remove_deleted(self) -> None:
        """Remove for ever what is flagged so."""
        deleted = [m.uid for m in self.mailbox.messages.values() if "\\Deleted" in m.flags]
        for uid in deleted:
            self.mailbox.expunge(uid)
