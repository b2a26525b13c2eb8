"""What the writing of a mail promises."""

import email
import email.header
import json
from collections.abc import Iterator
from datetime import datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Literal, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import TooLarge, Unprocessable
from passerelle.messaging.sending.header_text import has_control
from passerelle.messaging.sending.mail import (
    Attachment,
    Correspondent,
    Mail,
    build,
    check,
    demand_size,
)
from tests.messaging.correspondence import DOCTOR, GATEWAY, a_mail

NOT_IN_A_LINE: tuple[Literal["Cc", "Cs", "Zl", "Zp"], ...] = ("Cc", "Cs", "Zl", "Zp")
LINE = st.text(st.characters(exclude_categories=NOT_IN_A_LINE), max_size=120)
FILE_NAME = st.text(
    st.characters(exclude_categories=NOT_IN_A_LINE, exclude_characters='/\\:*?"<>|. '),
    min_size=1,
    max_size=40,
)


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(part: EmailMessage) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def refused(mail: Mail) -> set[tuple[str, str | None]]:
    with pytest.raises(Unprocessable) as refusal:
        build(mail)
    return {(issue.rule, issue.expression) for issue in refusal.value.issues}


def test_the_tree_is_text_then_archive_then_pdf() -> None:
    message = parsed(build(a_mail()))
    assert message.get_content_type() == "multipart/mixed"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == [
        "text/plain",
        "application/zip",
        "application/pdf",
    ]
    assert parts[0].get_content_charset() == "utf-8"
    assert parts[1].get_param("name") == parts[1].get_filename() == "IHE_XDM.ZIP"
    assert parts[1].get_content_disposition() == "attachment"
    assert parts[1].get_content() == a_mail().attachments[0].content


def test_the_headers_are_those_of_the_mail_and_no_others() -> None:
    message = parsed(build(a_mail()))
    assert message.keys() == [
        "Date",
        "From",
        "To",
        "Subject",
        "Message-ID",
        "Disposition-Notification-To",
        "X-MSS-NIL",
        "X-MSS-INS",
        "MIME-Version",
        "Content-Type",
    ]
    assert message["Message-ID"] == "<0123456789abcdef@chu.example>"
    assert message["Disposition-Notification-To"] == GATEWAY
    assert message["Date"].datetime == a_mail().date
    assert message["From"].addresses[0].display_name == "CHU_Passerelle"
    assert message["To"].addresses[0].display_name == "Docteur Zoé"
    assert message["To"].addresses[0].addr_spec == DOCTOR


def test_a_receipt_and_an_answer_address_stand_only_when_asked_for() -> None:
    plain = parsed(build(a_mail(receipt=False)))
    assert "Disposition-Notification-To" not in plain
    assert "Reply-To" not in plain
    assert parsed(build(a_mail(reply_to="secretariat@chu.example")))["Reply-To"] == (
        "secretariat@chu.example"
    )


def test_a_mail_without_attachments_is_plain_text() -> None:
    message = parsed(build(a_mail(attachments=())))
    assert message.get_content_type() == "text/plain"
    assert text_of(message) == a_mail().text


def test_the_same_mail_twice_gives_identical_bytes() -> None:
    assert build(a_mail()) == build(a_mail())


def test_every_line_ends_with_crlf_and_none_is_longer_than_998() -> None:
    raw = build(
        a_mail(
            subject="é" * 300,
            text=f"{'mot ' * 2000}\n.\n..\n" + "x" * 5000,
            attachments=(Attachment("ü" * 100, "application/pdf", bytes(5000)),),
        )
    )
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    assert raw.endswith(b"\r\n")
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


@settings(max_examples=50, deadline=None)
@given(
    subject=LINE.filter(lambda text: text.strip() and text.strip().upper() != "[FIN]"),
    display=LINE,
    text=st.text(st.characters(exclude_categories=NOT_IN_A_LINE) | st.just("\n")),
    name=FILE_NAME,
    content=st.binary(max_size=3000),
)
def test_what_is_written_is_read_back_the_same(
    subject: str, display: str, text: str, name: str, content: bytes
) -> None:
    mail = a_mail(
        subject=subject,
        to=Correspondent(DOCTOR, display),
        text=text,
        attachments=(Attachment(name, "application/pdf", content),),
    )
    if check(mail):  # a name too long in octets
        return
    raw = build(mail)
    message = parsed(raw)
    head = email.message_from_bytes(raw)
    assert decoded(head["Subject"]) == subject
    assert head["To"].endswith(f"<{DOCTOR}>" if display else DOCTOR)
    assert message["To"].addresses[0].addr_spec == DOCTOR
    body, attached = cast(Iterator[EmailMessage], message.iter_parts())
    assert text_of(body) == text.removesuffix("\n") + "\n"
    assert attached.get_filename() == name
    assert attached.get_content() == content
    assert len(head.keys()) == 10


def decoded(header: str) -> str:
    """Decode as RFC 2047 says: white space between encoded words is nothing."""
    joined = header.replace("\r\n", "")
    if "=?" not in joined:
        return joined
    pieces = email.header.decode_header(joined)
    return "".join(
        piece.decode(charset or "ascii") if isinstance(piece, bytes) else piece
        for piece, charset in pieces
    )


def test_naughty_strings_are_carried_whole_or_refused(shared: Path) -> None:
    strings = json.loads((shared / "data/json/naughty-strings.json").read_text("utf-8"))
    carried = 0
    for naughty in strings:
        mail = a_mail(subject=naughty, to=Correspondent(DOCTOR, naughty), text=naughty)
        if check(mail):
            assert not naughty.strip() or has_control(naughty) or len(naughty) > 200
            with pytest.raises(Unprocessable):
                build(mail)
            continue
        carried += 1
        raw = build(mail)
        head = email.message_from_bytes(raw)
        assert decoded(head["Subject"]) == naughty
        assert len(head.keys()) == 10
        assert parsed(raw)["To"].addresses[0].addr_spec == DOCTOR
        body = cast(EmailMessage, next(parsed(raw).iter_parts()))
        assert text_of(body) == naughty + "\n"
    assert carried > 400


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\0", "\x0b", "\x85", "\u2028", "\ud800"])
def test_no_header_can_be_injected(break_: str) -> None:
    evil = f"a{break_}Bcc: thief@evil.example"
    assert refused(
        a_mail(
            subject=evil,
            sender=Correspondent(GATEWAY, evil),
            to=Correspondent(DOCTOR, evil),
            headers=(("X-MSS-NIL", evil),),
            attachments=(Attachment(evil, "application/pdf", b""),),
        )
    ) == {
        ("mss.control-character", "subject"),
        ("mss.control-character", "sender.display"),
        ("mss.control-character", "to.display"),
        ("mss.control-character", "headers[0]"),
        ("mss.attachment-name", "attachments[0].name"),
    }
    assert refused(a_mail(to=Correspondent(f"dr@cab.example{break_}x"))) == {
        ("mss.address-invalid", "to.address")
    }
    assert refused(a_mail(message_id=f"<a{break_}@b.example>")) == {
        ("mss.message-id-invalid", "message_id")
    }


def test_all_faults_are_told_at_once() -> None:
    assert refused(
        a_mail(
            message_id="none",
            sender=Correspondent("nobody"),
            reply_to="x@",
            subject=" ",
            text="a\0b",
            headers=(("Subject", "x"), ("X-A", "1"), ("x-a", "2"), ("X-B", "é")),
            attachments=(Attachment("../a.pdf", "pdf", b""),),
        )
    ) == {
        ("mss.message-id-invalid", "message_id"),
        ("mss.address-invalid", "sender.address"),
        ("mss.address-invalid", "reply_to"),
        ("mss.subject-missing", "subject"),
        ("mss.control-character", "text"),
        ("mss.header-not-allowed", "headers[0]"),
        ("mss.header-not-allowed", "headers[2]"),
        ("mss.control-character", "headers[3]"),
        ("mss.attachment-name", "attachments[0].name"),
        ("mss.attachment-media-type", "attachments[0].media_type"),
    }


def test_too_much_of_anything_is_refused() -> None:
    assert refused(a_mail(subject="x" * 401, text="x" * 100_001)) == {
        ("mss.text-too-long", "subject"),
        ("mss.text-too-long", "text"),
    }
    assert refused(a_mail(attachments=(Attachment("a", "a/b", b""),) * 51)) == {
        ("mss.too-many-attachments", "attachments")
    }


@pytest.mark.parametrize("subject", ["[FIN]", " [fin] "])
def test_no_text_of_a_user_closes_the_exchange_with_a_patient(subject: str) -> None:
    assert refused(a_mail(subject=subject)) == {("mss.subject-fin", "subject")}


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../a", "a/b", "a\\b", "C:a", ".a", "a."),
        *("a ", "\xa0", "a\u2003", "é" * 101, 'a"b'),
    ],
)
def test_file_names_that_are_paths_are_refused(name: str) -> None:
    mail = a_mail(attachments=(Attachment(name, "application/pdf", b""),))
    assert refused(mail) == {("mss.attachment-name", "attachments[0].name")}


def test_a_date_without_offset_is_a_fault_of_the_code() -> None:
    with pytest.raises(ValueError, match="offset"):
        build(a_mail(date=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_citizen_takes_25_million_bytes_whatever_the_operator_takes() -> None:
    raw = bytes(25_000_001)
    citizen = "279035121518989@patient.mssante.fr"
    with pytest.raises(TooLarge):
        demand_size(raw, recipient=citizen, size_max_bytes=50_000_000)
    demand_size(raw, recipient=DOCTOR, size_max_bytes=50_000_000)
    with pytest.raises(TooLarge):
        demand_size(raw, recipient=DOCTOR, size_max_bytes=10_000_000)


def test_nothing_of_the_patient_shows_in_the_repr() -> None:
    shown = repr(a_mail(to=Correspondent("279035121518989@patient.mssante.fr", "ZOE ADRUN")))
    for secret in ("27903512151", "ADRUN ZOE", "LIAISON", "Bonjour", "PK"):
        assert secret not in shown
