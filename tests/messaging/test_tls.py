"""What makes a connection private, and what is not trusted."""

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from passerelle.errors.refusals import Unavailable
from passerelle.messaging.accounts import Account
from passerelle.messaging.tls import client_context
from passerelle.simulation.certificates import Certificates, make_certificates, server_context
from passerelle.simulation.operator import Operator
from tests.messaging.correspondence import account_at

pytestmark = pytest.mark.anyio


async def test_only_the_dedicated_authority_is_trusted_and_tls_is_recent(account: Account) -> None:
    context = client_context(account)
    assert len(context.get_ca_certs()) == 1
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


async def test_only_the_ciphers_of_the_settings_are_used(account: Account) -> None:
    context = client_context(replace(account, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"))
    old = [each["name"] for each in context.get_ciphers() if each["protocol"] != "TLSv1.3"]
    assert old == ["ECDHE-ECDSA-AES256-GCM-SHA384"]


async def test_files_that_cannot_be_used_are_told(account: Account, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    empty = tmp_path / "empty.pem"
    empty.write_text("not a certificate")
    for broken in (
        replace(account, ca_file=nothing),
        replace(account, ca_file=empty),
        replace(account, crl_file=nothing),
        replace(account, client_certificate=empty, client_key=empty),
        replace(account, client_certificate=account.ca_file, client_key=nothing),
        replace(account, ciphers="NO-SUCH-CIPHER"),
    ):
        with pytest.raises(Unavailable, match=r"mss\.tls-files"):
            client_context(broken)


async def connects(account: Account, files: Certificates) -> bool:
    """Tell whether a client of this account accepts a server with these certificates."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(files))
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            _, writer = await asyncio.open_connection(
                "localhost", port, ssl=client_context(account)
            )
        except ssl.SSLCertVerificationError:
            return False
        writer.close()
        return True


async def test_a_server_certificate_out_of_its_dates_is_not_trusted(
    operator: Operator, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    for offset, trusted in ((0, True), (-30, False), (30, False)):
        files = make_certificates(tmp_path / str(offset), now=now + timedelta(days=offset))
        account = account_at(operator, ca_file=files.ca_file)
        assert await connects(account, files) is trusted


async def test_a_server_certificate_for_another_name_is_not_trusted(
    operator: Operator, tmp_path: Path
) -> None:
    files = make_certificates(tmp_path / "x", now=datetime.now(UTC), host_names=("x.example",))
    assert not await connects(account_at(operator, ca_file=files.ca_file), files)


@pytest.mark.parametrize("revoked", [False, True])
async def test_a_revoked_server_certificate_is_not_trusted(
    operator: Operator, tmp_path: Path, revoked: bool
) -> None:
    files = make_certificates(tmp_path / "x", now=datetime.now(UTC), revokes_server=revoked)
    account = account_at(operator, ca_file=files.ca_file, crl_file=files.crl_file)
    assert await connects(account, files) is not revoked


async def test_a_list_of_another_authority_leaves_the_server_untrusted(
    operator: Operator, tmp_path: Path
) -> None:
    files = make_certificates(tmp_path / "x", now=datetime.now(UTC))
    other = make_certificates(tmp_path / "y", now=datetime.now(UTC) - timedelta(days=8))
    expired = account_at(operator, ca_file=files.ca_file, crl_file=other.crl_file)
    assert not await connects(expired, files)


async def test_nothing_secret_shows_in_the_repr_of_an_account(account: Account) -> None:
    shown = repr(replace(account, client_key=Path("/run/secrets/key.pem")))
    assert "secret de la passerelle" not in shown
    assert "key.pem" not in shown
    assert "username" not in shown
