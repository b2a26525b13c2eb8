"""One request that means no good, or nothing at all, as a value."""

from typing import NamedTuple


class Hostile(NamedTuple):
    """One request as it is sent: the address is ASCII, whatever it means."""

    method: str
    address: str
    headers: dict[str, str]
    body: bytes | None = None
