"""What the store keeps beside resources and their index rows, each with methods of its own."""

from typing import TYPE_CHECKING, Protocol

from passerelle.store.async_requests import AsyncRequests
from passerelle.store.kept_answers import KeptAnswers
from passerelle.store.packages import Packages

if TYPE_CHECKING:  # it speaks of the values of the contract, which this is a part of
    from passerelle.store.added_parameters import AddedParameters
    from passerelle.store.dossier_readings import DossierReadings
    from passerelle.store.full_text import FullText
    from passerelle.store.uploads import Uploads


class KeptBeside(Protocol):
    """A part of :class:`passerelle.store.contract.Store`."""

    @property
    def packages(self) -> Packages:
        """The tables of the installed FHIR packages."""

    @property
    def async_requests(self) -> AsyncRequests:
        """The requests that are answered later."""

    @property
    def uploads(self) -> "Uploads":
        """The bytes that were brought and may not be named by anything yet."""

    @property
    def parameters(self) -> "AddedParameters":
        """The search parameters that were added to the record."""

    @property
    def full_text(self) -> "FullText":
        """The words that `_text` and `_content` look among."""

    @property
    def dossiers(self) -> "DossierReadings":
        """What is asked of many dossiers at once, or of one as it was."""

    @property
    def kept_answers(self) -> KeptAnswers:
        """The answers that are given again to a request that comes again."""
