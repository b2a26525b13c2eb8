"""What the sending and receiving of secure mail needs from the outside, made once by ``app``."""

from collections.abc import Callable
from dataclasses import dataclass

from passerelle.messaging.accounts import Account
from passerelle.messaging.white_list import WhiteList


@dataclass(frozen=True, slots=True)
class Emitter:
    """The structure in whose name documents leave: name and FINESS of the custodian and author."""

    name: str = "Passerelle"
    finess: str | None = None
    software: str = "Passerelle"
    version: str = ""


@dataclass(frozen=True, slots=True)
class SecureMail:
    """One account, the white list (read anew by the function when its file changes), who we are."""

    account: Account
    white_list: Callable[[], WhiteList]
    emitter: Emitter
    poll_seconds: float = 10.0
