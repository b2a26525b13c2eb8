"""What became of one entry of a batch or a transaction, and who answers those that ask.

https://hl7.org/fhir/R4/http.html#transaction-response
"""

from dataclasses import dataclass
from typing import Protocol

from passerelle.errors.refusals import Issue, NotSupported
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.resource import Key, Resource
from passerelle.store.contract import Version


@dataclass(frozen=True, slots=True)
class EntryAnswer:
    """Status, the version it is about, and what there is to say.

    ``resource`` holds the bytes that answer what was asked, where they are not that version's.
    """

    status: int
    key: Key | None = None
    version: Version | None = None
    outcome: tuple[Issue, ...] = ()
    resource: bytes | None = None


class Asking(Protocol):
    """Answers the entries that ask, as the door answers the same requests by themselves."""

    def refuses(self, entry: PlannedEntry) -> Issue | None:
        """Tell why an entry cannot be asked in a transaction, before anything of it is done."""

    async def answer(self, entry: PlannedEntry, inputs: Resource | None) -> EntryAnswer:
        """Answer an entry that asks; ``inputs`` are those of an operation.

        Raises what the same request by itself would raise.
        """

    def shown(self, method: str, answer: EntryAnswer) -> EntryAnswer:
        """Give of an answer what is shown, as long as there is room in the answer to the bundle."""


class NothingAsked:
    """For bundles that do not come in by the door of requests: they write, and ask for nothing."""

    def refuses(self, entry: PlannedEntry) -> Issue | None:
        """Refuse every entry that asks."""
        place = f"Bundle.entry[{entry.index}].request.url"
        return issue("bundle.interaction-not-supported", place)

    async def answer(self, entry: PlannedEntry, inputs: Resource | None) -> EntryAnswer:
        """Refuse every entry that asks. Raises NotSupported."""
        raise NotSupported(
            issue("bundle.interaction-not-supported", f"Bundle.entry[{entry.index}].request.url")
        )

    def shown(self, method: str, answer: EntryAnswer) -> EntryAnswer:
        """Give the answer as it is."""
        return answer


NOTHING_ASKED = NothingAsked()
