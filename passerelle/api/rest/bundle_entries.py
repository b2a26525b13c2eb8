"""The entries of a bundle that ask: each is a request, answered where all requests are.

https://hl7.org/fhir/R4/http.html#transaction . What an entry asks is found by the same tables and
answered by the same handlers as the request that it stands for. What all entries are answered has
one bound, in bytes, however many of them there are.
"""

from collections.abc import AsyncIterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from passerelle.api.rest import operations
from passerelle.api.rest.interactions import shown
from passerelle.api.rest.negotiation import FHIR_JSON
from passerelle.api.rest.operation import Level
from passerelle.api.rest.requests import Request, Wanted
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.entry_answer import EntryAnswer
from passerelle.dossiers.repository import Repository
from passerelle.errors.issue_bounds import bounded
from passerelle.errors.refusals import Issue, TooLarge
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.instants import http_date
from passerelle.fhir.resource import Resource

ISSUE_BYTES = 200
"""What an issue takes in an outcome beside its texts, its expression included."""

READING = ("GET", "HEAD")

ISSUES_MAX = 10_000
"""Issues of all entries together; beyond, each entry tells one and how many more it has."""


class Inner(Protocol):
    """Answers a request whose address is known by its segments below the base."""

    async def __call__(
        self, repository: Repository, request: Request, segments: Sequence[str]
    ) -> Reply:
        """Give the answer in JSON. Raises every refusal of the rooms below."""


class EntryRequest(Request):
    """The request that an entry stands for; its body, if any, has been read with the bundle."""

    __slots__ = ("_inputs",)

    def __init__(self, entry: PlannedEntry, inputs: Resource | None, outer: Request) -> None:
        scope: MutableMapping[str, Any] = {
            "method": entry.method,
            "query_string": entry.address.query.encode("utf-8", "surrogatepass"),
        }
        super().__init__(scope, _headers(entry, outer), _nothing_comes, outer.body_limit)
        self._inputs = inputs

    def all_pairs(self) -> list[tuple[str, str]]:
        """Give the parameters of the query, and that a resource is wanted, whatever it holds."""
        return [*super().all_pairs(), ("_format", FHIR_JSON)]

    def wanted(self) -> Wanted:
        """Give JSON, which the bundle is joined of; ``_format`` of an entry has nothing to say."""
        return Wanted()

    def has_no_body(self) -> bool:
        """Tell whether the entry has no resource."""
        return self._inputs is None

    async def resource(self) -> Resource:
        """Give the resource of the entry."""
        assert self._inputs is not None  # asked for where there is one
        return self._inputs


class Entries:
    """The asking entries of one bundle, and how many bytes they may still be answered."""

    def __init__(
        self, repository: Repository, outer: Request, inner: Inner, *, whole: bool
    ) -> None:
        """``whole``: the resources that are written are shown too."""
        self.repository = repository
        self.outer = outer
        self.inner = inner
        self.whole = whole
        self.limit = self.left = outer.answer_limit
        self.full = False
        self.issues_left = ISSUES_MAX

    def refuses(self, entry: PlannedEntry) -> Issue | None:
        """Tell why an entry cannot be asked in a transaction: it is unknown, or it writes."""
        name, place = entry.address.operation, f"Bundle.entry[{entry.index}].request.url"
        if name is None:
            return None
        parts = len(entry.address.segments)
        level: Level = "system" if parts == 1 else "type" if parts == 2 else "instance"
        found = operations.find(name, level, entry.type if parts > 1 else "")
        if found is None:
            return issue("http.not-there-yet", place, what=f"${shown(name)}")
        writes = found.affects_state or (found.may_write and entry.method == "POST")
        return issue("bundle.operation-changes", place) if writes else None

    async def answer(self, entry: PlannedEntry, inputs: Resource | None) -> EntryAnswer:
        """Answer one entry. Raises TooLarge once there is no room, and what a request raises."""
        if self.full:
            raise self._too_large(entry)
        request = EntryRequest(entry, inputs, self.outer)
        reply = await self.inner(self.repository, request, entry.address.segments)
        if entry.method == "HEAD":
            reply = reply._replace(body=b"", stream=None)
        elif reply.stream is not None:
            reply = reply._replace(body=await self._gathered(entry, reply.stream))
        elif len(reply.body) > self.left:
            self.full = True
            raise self._too_large(entry)
        version = reply.version
        return EntryAnswer(
            reply.status,
            None if version is None else version.key,
            None if version is None else version._replace(body=None),
            entry.issues,
            reply.body or None,
        )

    def shown(self, method: str, answer: EntryAnswer) -> EntryAnswer:
        """Give of an answer what there is room for, and take that room."""
        if len(answer.outcome) > max(self.issues_left, 1):
            answer = replace(answer, outcome=bounded(answer.outcome, max(self.issues_left, 1)))
        self.issues_left -= len(answer.outcome)
        body = answer.resource
        if body is None and self.whole and answer.version is not None and method not in READING:
            body = answer.version.body
        version = None if answer.version is None else answer.version._replace(body=None)
        size = (0 if body is None else len(body)) + sum(map(_size, answer.outcome))
        if size > self.left:
            self.full = True
            left_out = issue("bundle.answer-left-out", limit=self.limit)
            return replace(
                answer, version=version, resource=None, outcome=(*answer.outcome[:1], left_out)
            )
        self.left -= size
        return replace(answer, version=version, resource=body)

    async def _gathered(self, entry: PlannedEntry, stream: AsyncIterator[bytes]) -> bytes:
        """Give the bytes of a stream, as far as there is room for them. Raises TooLarge."""
        chunks, size = [], 0
        async for chunk in stream:
            size += len(chunk)
            if size > self.left:
                self.full = True
                raise self._too_large(entry)
            chunks.append(chunk)
        return b"".join(chunks)

    def _too_large(self, entry: PlannedEntry) -> TooLarge:
        place = f"Bundle.entry[{entry.index}].request.url"
        return TooLarge(issue("bundle.answer-too-large", place, limit=self.limit))


def _headers(entry: PlannedEntry, outer: Request) -> Mapping[bytes, bytes]:
    """Give the headers of the request: what the entry says, and how strict the client wants it."""
    found = {b"accept": FHIR_JSON.encode()}
    if entry.if_match is not None:
        found[b"if-match"] = b'W/"%d"' % entry.if_match
    if entry.if_none_match is not None:
        found[b"if-none-match"] = entry.if_none_match.encode("latin-1", "replace")
    if entry.if_modified_since is not None:
        found[b"if-modified-since"] = http_date(entry.if_modified_since).encode()
    handling = outer.preference.handling
    if handling is not None:
        found[b"prefer"] = b"handling=" + handling.encode()
    return found


def _size(said: Issue) -> int:
    """Give about how many bytes an issue takes."""
    return ISSUE_BYTES + len(said.text) + len(said.text_en)


async def _nothing_comes() -> MutableMapping[str, Any]:
    """Receive the body of a request that has none."""
    return {"type": "http.request", "body": b"", "more_body": False}
