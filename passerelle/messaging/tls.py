"""Private connections to the operator: TLS 1.2 at least, one dedicated authority, no exception.

Référentiel socle MSSanté #2, ECO.1.1.1 (TLS), ECO.1.1.3 (ciphers), ECO.1.1.5 (dates),
ECO.1.1.6 (revocation), ECO.1.1.10 (only the IGC-Santé is trusted: the system's trust store is
not read).
https://esante.gouv.fr/produits-services/mssante
"""

import ssl

from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue
from passerelle.messaging.accounts import Account


def client_context(account: Account) -> ssl.SSLContext:
    """Give the TLS context of an account: its authority, its CRL and its certificate if any.

    With a ``crl_file`` a server certificate is refused when it is revoked or when the list does
    not cover it. Raises Unavailable (mss.tls-files) when a file cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if account.ciphers is not None:
            context.set_ciphers(account.ciphers)
        context.load_verify_locations(cafile=account.ca_file)
        if account.crl_file is not None:
            context.load_verify_locations(cafile=account.crl_file)
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        if account.client_certificate is not None:
            context.load_cert_chain(
                account.client_certificate, account.client_key, password=_no_password
            )
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise Unavailable(issue("mss.tls-files")) from error
    return context


def _no_password() -> str:
    """Stand for the password of a key that has one: without it, OpenSSL would ask the terminal."""
    return ""
