"""What is an address, and what only looks like one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.messaging.addresses import (
    addr_spec,
    check_address,
    domain_of,
    is_citizen,
    same_mailbox,
)

LOOK_ALIKES = [
    "alice@mssante.fr<evil@x.example>",
    "<alice@mssante.fr>",
    "Alice <alice@mssante.fr>",
    "alice@mssante.fr, bob@mssante.fr",
    "alice@mssante.fr bob",
    " alice@mssante.fr",
    "alice@mssante.fr\n",
    "alice@mssante.fr\r\nRCPT TO:<x@y.example>",
    "alice@mssante.fr\0",
    "alice@mssante.fr\0.evil.example",
    "alice",
    "@mssante.fr",
    "alice@",
    "alice@@mssante.fr",
    "alice@mssante.fr@evil.example",
    '"alice@mssante.fr"@evil.example',
    '"alice"@mssante.fr',
    "alice(comment)@mssante.fr",
    "alice@(comment)mssante.fr",
    "alice@[127.0.0.1]",
    "alice@127.0.0.1",
    "alice@localhost",
    "alice@mssante",
    "alice@mssante..fr",
    "alice@.mssante.fr",
    "alice@mssante.fr.",
    "alice@-mssante.fr",
    "alice@mssante-.fr",
    "alice@mss_ante.fr",
    "alice@mss ante.fr",
    "alice..b@mssante.fr",
    ".alice@mssante.fr",
    "alice.@mssante.fr",
    "al\u0456ce@mssante.fr",  # a Cyrillic i in the local part
    "alice@mssante.fr\u200b",
    "alice\uff20mssante.fr",  # a wide at sign
    "alice%evil.example@",
    "x" * 65 + "@mssante.fr",
    "alice@" + "a" * 64 + ".fr",
    "alice@" + "a." * 130 + "fr",
    "",
]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_looks_like_an_address_is_none(text: str) -> None:
    assert addr_spec(text) is None
    assert domain_of(text) is None
    assert not is_citizen(text)
    assert [issue.rule for issue in check_address(text, "to")] == ["mss.address-invalid"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("zoe.adrun@MSSante.FR", "zoe.adrun@mssante.fr"),
        ("Zoe+x@a-b.mssante.fr", "Zoe+x@a-b.mssante.fr"),
        ("zoe@hôpital.mssante.fr", "zoe@xn--hpital-ixa.mssante.fr"),
        ("zoe@XN--HPITAL-IXA.mssante.fr", "zoe@xn--hpital-ixa.mssante.fr"),
        ("zoe@mssante。fr", "zoe@mssante.fr"),  # an ideographic full stop is a dot in IDNA
    ],
)
def test_the_domain_of_an_address_is_written_in_one_way(text: str, address: str) -> None:
    assert addr_spec(text) == address
    assert check_address(text) == []


def test_a_domain_in_other_letters_is_another_domain() -> None:
    assert domain_of("zoe@mss\u0430nte.fr") != "mssante.fr"  # a Cyrillic a


def test_a_citizen_is_known_by_the_exact_domain() -> None:
    assert is_citizen("279035121518989@patient.mssante.fr")
    assert is_citizen("279035121518989@PATIENT.mssante.fr")
    assert not is_citizen("279035121518989@patient.mssante.fr.evil.example")
    assert not is_citizen("279035121518989@xpatient.mssante.fr")


def test_mailboxes_are_compared_without_case() -> None:
    assert same_mailbox("Zoe@MSSANTE.fr", "zoe@mssante.fr")
    assert not same_mailbox("zoe@mssante.fr", "zoe@mssante.com")
    assert not same_mailbox("x", "x")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_an_address_once_accepted_stays_the_same_and_is_plain(text: str) -> None:
    address = addr_spec(text)
    if address is not None:
        assert addr_spec(address) == address
        assert address.isascii()
        assert address.isprintable()
        assert " " not in address
