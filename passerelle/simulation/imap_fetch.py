"""The items of an IMAP FETCH, and the answer for one mail.

https://www.rfc-editor.org/rfc/rfc3501#section-6.4.5
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from passerelle.simulation.imap_grammar import SyntaxFault, Word, text_of
from passerelle.simulation.mailboxes import Message

_MACROS = {"FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"]}
_PLAIN = {"FLAGS", "UID", "RFC822.SIZE", "INTERNALDATE"}
_OLD_NAMES = {"RFC822": "BODY[]", "RFC822.HEADER": "BODY.PEEK[HEADER]", "RFC822.TEXT": "BODY[TEXT]"}
_BODY = re.compile(
    r"BODY(?P<peek>\.PEEK)?\[(?P<section>[^\]]*)\](?:<(?P<start>\d{1,9})\.(?P<length>\d{1,9})>)?",
    re.IGNORECASE,
)
_FIELDS = re.compile(r"HEADER\.FIELDS(?P<other>\.NOT)? \((?P<names>[^)]*)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing asked of a mail: a plain attribute, or a section of its bytes."""

    name: str
    section: str | None = None
    peek: bool = True
    span: tuple[int, int] | None = None

    def value(self, message: Message) -> bytes:
        """Give the answer for one mail, name and value."""
        if self.section is None:
            return f"{self.name} {_attribute(self.name, message)}".encode("ascii")
        content = _section(self.section, message.raw)
        name = f"BODY[{self.section}]"
        if self.span is not None:
            start, length = self.span
            content = content[start : start + length]
            name += f"<{start}>"
        return f"{name} {{{len(content)}}}\r\n".encode("ascii") + content


def items(words: Sequence[Word]) -> list[Item]:
    """Read what a FETCH asks; raises SyntaxFault for what this server does not know."""
    if len(words) != 1:
        raise SyntaxFault("one item or a list of them")
    word = words[0]
    names = [text_of(each) for each in word] if isinstance(word, list) else [word]
    if len(names) == 1:
        names = _MACROS.get(names[0].upper(), names)
    return [_item(name) for name in names]


def _item(name: str) -> Item:
    if name.upper() in _PLAIN:
        return Item(name.upper())
    body = _BODY.fullmatch(_OLD_NAMES.get(name.upper(), name))
    if body is None:
        raise SyntaxFault("unknown item")
    section = body["section"].upper()
    if section not in ("", "HEADER", "TEXT") and not _FIELDS.fullmatch(section):
        raise SyntaxFault("unknown section")
    span = (int(body["start"]), int(body["length"])) if body["start"] else None
    return Item("BODY", section, body["peek"] is not None or name.upper() == "RFC822.HEADER", span)


def _attribute(name: str, message: Message) -> str:
    if name == "FLAGS":
        return f"({' '.join(sorted(message.flags))})"
    if name == "UID":
        return str(message.uid)
    if name == "RFC822.SIZE":
        return str(len(message.raw))
    return message.received_at.strftime('"%d-%b-%Y %H:%M:%S +0000"')


def _section(section: str, raw: bytes) -> bytes:
    if section == "":
        return raw
    head, blank, body = raw.partition(b"\r\n\r\n")
    if section == "TEXT":
        return body
    if section == "HEADER":
        return head + blank
    fields = _FIELDS.fullmatch(section)
    if fields is None:  # unreachable: items() has let through what matches only
        raise SyntaxFault("unknown section")
    wanted = {name.upper() for name in fields["names"].split()}
    unfolded = re.split(rb"\r\n(?![ \t])", head)
    kept = [
        line
        for line in unfolded
        if (line.partition(b":")[0].decode("ascii", "replace").upper() in wanted)
        is (fields["other"] is None)
    ]
    return b"".join(line + b"\r\n" for line in kept) + b"\r\n"
