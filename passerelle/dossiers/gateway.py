"""What the use cases need from the outside, made once by ``passerelle.app`` and handed in."""

from collections.abc import Callable
from dataclasses import dataclass, field

from passerelle.dossiers.async_policy import USUAL as USUAL_ASYNC
from passerelle.dossiers.async_policy import AsyncPolicy
from passerelle.dossiers.mailing.secure_mail import SecureMail
from passerelle.dossiers.pace import USUAL, Pace
from passerelle.dossiers.term_cache import TermCache
from passerelle.dossiers.writing_policy import USUAL as USUAL_WRITING
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.store.contract import Store

UPLOADS_KEPT_SECONDS = 86_400.0
"""So long bytes that nothing names are kept: longer than any request takes to name its own."""


@dataclass(frozen=True, slots=True)
class InsPolicy:
    """What is accepted as an INS: ``allow_test`` admits the OIDs of test and demonstration."""

    allow_test: bool = False


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway: its record, its clock (microseconds since 1970 UTC), its ids, its policies."""

    store: Store
    clock: Callable[[], int]
    new_id: Callable[[], str]
    base_url: str  # of the FHIR base, without a slash at the end
    ins: InsPolicy = InsPolicy()
    mail: SecureMail | None = None
    pace: Pace = USUAL
    terms: TermCache = field(default_factory=TermCache, compare=False)
    writing: WritingPolicy = USUAL_WRITING
    asynchronous: AsyncPolicy = USUAL_ASYNC
    uploads_kept_seconds: float = UPLOADS_KEPT_SECONDS
