"""What the white list promises: exact domains, no tricks of XML, never empty."""

from datetime import UTC, datetime, timedelta

import pytest

from passerelle.errors.refusals import TooLarge, Unprocessable
from passerelle.messaging import white_list
from passerelle.messaging.white_list import WhiteList, parse
from passerelle.simulation.white_list import white_list_xml

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DOMAINS = ["chu.mssante.example", "CABINET.mssante.example", "hôpital.mssante.example"]


def a_list(domains: list[str] = DOMAINS) -> WhiteList:
    return parse(white_list_xml(domains, generated_at=NOW))


def wrapped(inside: str, before: str = "") -> bytes:
    return f'{before}<ListeBlanche xmlns="{white_list.NAMESPACE}">{inside}</ListeBlanche>'.encode()


def test_a_list_is_read_with_its_date() -> None:
    found = a_list()
    assert found.generated_at == NOW
    assert found.domains == {
        "chu.mssante.example",
        "cabinet.mssante.example",
        "xn--hpital-ixa.mssante.example",
    }
    assert found.skipped == 0


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("a@chu.mssante.example", True),
        ("a@CHU.MSSANTE.EXAMPLE", True),
        ("a@cabinet.mssante.example", True),
        ("a@hôpital.mssante.example", True),
        ("a@HÔPITAL.mssante.example", True),
        ("a@xn--hpital-ixa.mssante.example", True),
        ("a@sub.chu.mssante.example", False),
        ("a@mssante.example", False),
        ("a@xchu.mssante.example", False),
        ("a@chu.mssante.example.evil.example", False),
        ("a@chu.mssante.example<x@evil.example>", False),
        ("a@evil.example>@chu.mssante.example", False),
        ("chu.mssante.example", False),
        ("", False),
    ],
)
def test_only_exact_domains_are_listed(address: str, listed: bool) -> None:
    assert a_list().lists(address) is listed


def test_the_reason_is_told_apart() -> None:
    found = a_list()
    assert found.check("a@chu.mssante.example") == []
    assert [i.rule for i in found.check("a@evil.example", "to")] == ["mss.recipient-not-listed"]
    assert [i.rule for i in found.check("evil", "to")] == ["mss.address-invalid"]


def test_a_list_grows_stale() -> None:
    found = a_list()
    assert not found.stale(NOW + timedelta(days=2))
    assert found.stale(NOW + timedelta(days=2, seconds=1))
    assert not found.stale(NOW + timedelta(days=9), after=timedelta(days=10))
    assert WhiteList(None, frozenset({"a.example"})).stale(NOW)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-03-04T05:06:07Z", NOW),
        ("2026-03-04T06:06:07+01:00", NOW),
        ("2026-03-04T05:06:07", NOW),
        (" 04/03/2026 05:06:07 ", NOW),
        ("04/03/2026", NOW.replace(hour=0, minute=0, second=0)),
        ("hier", None),
        ("", None),
    ],
)
def test_the_date_is_read_in_several_forms(text: str, read: datetime | None) -> None:
    raw = wrapped(
        f"<DateDeGeneration>{text}</DateDeGeneration><Domaine><Nom>a.example</Nom></Domaine>"
    )
    assert parse(raw).generated_at == read


def test_names_that_are_no_host_names_are_counted_and_not_listed() -> None:
    found = a_list(["a.example", "*", "un deux.example", "a@b.example"])
    assert found.domains == {"a.example"}
    assert found.skipped == 3


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not xml",
        b"<ListeBlanche><Domaine><Nom>a.example</Nom></Domaine></ListeBlanche>",
        wrapped("<Domaine><Nom>a.example</Nom>")[:-20],
        wrapped("<Domaine><Nom>&d;.example</Nom></Domaine>", BOMB),
        wrapped(
            "<Domaine><Nom>a.example</Nom><Nom>&x;</Nom></Domaine>",
            '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        ),
        wrapped("<Domaine><Nom>a.example</Nom></Domaine>", '<!DOCTYPE x SYSTEM "http://x/y">'),
        wrapped("<Domaine><Nom>a.example</Nom></Domaine>", BOMB).decode().encode("utf-16"),
        wrapped("<a>" * 1000 + "</a>" * 1000 + "<Domaine><Nom>a.example</Nom></Domaine>"),
    ],
)
def test_what_is_not_a_list_is_refused(raw: bytes) -> None:
    with pytest.raises(Unprocessable, match=r"mss\.white-list-unreadable"):
        parse(raw)


def test_an_empty_list_does_not_replace_the_last_one() -> None:
    with pytest.raises(Unprocessable, match=r"mss\.white-list-empty"):
        a_list([])


def test_a_list_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(white_list, "SIZE_MAX_BYTES", 100)
    with pytest.raises(TooLarge):
        a_list()
