"""The FHIR base: from a request to the handler that answers it, and back.

https://hl7.org/fhir/R4/http.html . A raw ASGI dispatcher: a read costs a look-up in two tables.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

from passerelle.api.errors import NotAllowedHere
from passerelle.api.rest import (
    async_requests,
    binary_results,
    definitions,
    fhir_routes,
    formats,
    operations,
    patches,
    responses,
)
from passerelle.api.rest.fhir_routes import (
    ASYNC,
    ASYNC_OUTPUT,
    METADATA,
    NOT_THERE_YET,
    ROUTES,
    Route,
    shape_of,
)
from passerelle.api.rest.requests import Request, Wanted
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.effort import BATCH_SECONDS
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import NotAcceptable, NotFound, NotSupported, Unavailable
from passerelle.errors.rules import issue
from passerelle.fhir.capability import Ability, statement
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.document_sharing import pdsm_profiles
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.packages.package_reading import SERVED
from passerelle.fhir.search.language.compartments import compartments
from passerelle.fhir.search.search_parameters import FULL_TEXT, Parameter
from passerelle.fhir.terminology import terminology_capability
from passerelle.fhir.terminology.code_system import USABLE
from passerelle.store.caller import Caller

PREFIX = fhir_routes.BASE
UNKNOWN = "/fhir/*"
"""The route that is told of an address without a shape."""

LATER = (
    "Les recherches, les historiques et les opérations qui ne changent rien suivent "
    "`Prefer: respond-async` (https://hl7.org/fhir/R4/async.html) : 202, puis des fichiers NDJSON."
)
"""What the CapabilityStatement tells of requests that are answered later."""

CODE_SYSTEMS_MAX = 20_000
"""As many the statement of terminology names."""

READING = ("read", "vread", "search", "history")
"""How the interactions begin that leave the record as it is."""


class FhirService:
    """The FHIR base of one gateway.

    ``answers_later``: there is a worker here that answers what is asked with `respond-async`.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        body_limit: int,
        binary_limit: int,
        answer_limit: int,
        batch_seconds: float = BATCH_SECONDS,
        software_version: str,
        answers_later: bool = False,
    ) -> None:
        self.gateway = gateway
        self.body_limit = body_limit
        self.binary_limit = binary_limit
        self.answer_limit = answer_limit
        self.batch_seconds = batch_seconds
        self.software_version = software_version
        self.answers_later = answers_later and gateway.asynchronous.unfinished_max > 0
        self._metadata: bytes | None = None
        self._stamp: int | None = None
        self._statements: dict[Wanted, Reply] = {}
        self._terminology: tuple[int, bytes] | None = None  # the stamp it was made at

    async def answer(
        self,
        scope: MutableMapping[str, Any],
        headers: Mapping[bytes, bytes],
        receive: Any,
        caller: Caller,
    ) -> Reply:
        """Answer one request; the shape of its address is left in its ASGI scope for the log.

        Raises every refusal of the rooms below.
        """
        scope["passerelle.route"] = UNKNOWN
        request = Request(scope, headers, receive, self.body_limit)
        request.binary_limit = self.binary_limit
        path: str = scope["path"]
        segments = path[len(PREFIX) + 1 :].split("/") if len(path) > len(PREFIX) + 1 else []
        if segments and not segments[-1]:
            segments.pop()
        shape = shape_of(segments, request)
        scope["passerelle.route"] = shape
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS":
            return Reply(204, ((b"allow", ", ".join(sorted(_allowed(shape))).encode()),))
        parameters = self.gateway.store.parameters
        if not parameters.is_fresh:
            with suppress(Unavailable):  # whatever needs the record says so by itself
                await parameters.refresh()
        if shape == METADATA:
            return await self._capabilities(request, method)
        route = ROUTES.get(shape, {}).get(method)
        if route is None:
            raise _without_route(shape, request.method)
        if route.code == "transaction":
            request.inner, request.answer_limit = self.answer_inner, self.answer_limit
            request.batch_seconds = self.batch_seconds
        # A Bundle is answered with an outcome for each entry, other writes where one is asked for.
        warns = route.code == "transaction" or request.preference.returns == "OperationOutcome"
        repository = Repository(self.gateway, caller, warns=warns)
        if route.negotiates:
            return await route.handler(repository, request)
        if route.code == "operation" and operations.gives_bytes(request):
            return binary_results.bare(await route.handler(repository, request))
        wanted = request.wanted()
        if self.answers_later and async_requests.suits(route.code, request):
            path = "/".join(segments)
            reply = await async_requests.begin(repository, request, route.code, path)
        else:
            reply = await self._handled(route, repository, request)
        if request.form_pairs:
            wanted = request.wanted()
        try:
            return await formats.formed(reply, wanted)
        except NotAcceptable as refusal:
            if route.code.startswith(READING):
                raise
            # What was written stays written; the answer says why it is not shown.
            said = responses.said(reply.status, refusal.issues, reply.headers[1:])
            return await formats.formed(said, wanted)

    async def answer_inner(
        self, repository: Repository, request: Request, segments: Sequence[str]
    ) -> Reply:
        """Answer what an entry of a bundle, or a request that was kept, asks; in JSON."""
        shape = shape_of(segments, request)
        method = "GET" if request.method == "HEAD" else request.method
        if shape == METADATA and method == "GET":
            return responses.fhir(await self._stated(request))
        if shape in (ASYNC, ASYNC_OUTPUT):  # no resource
            raise NotFound(issue("http.address-unknown"))
        route = ROUTES.get(shape, {}).get(method)
        if route is None:
            raise _without_route(shape, request.method)
        return await self._handled(route, repository, request)

    async def _handled(self, route: Route, repository: Repository, request: Request) -> Reply:
        """Have a route answer; beside the record there are the definitions that are ours."""
        if route.code == "search-type" and request.type in definitions.TYPES:
            return await definitions.searched(repository, request, route.handler)
        if route.code != "read" or request.type not in SERVED:
            return await route.handler(repository, request)
        try:
            return await route.handler(repository, request)
        except NotFound as refusal:
            return await definitions.read(repository, request, refusal)

    def _searched(self, type_: str) -> Mapping[str, Parameter]:
        """Give what a type can be searched by: the full text only where there is one."""
        found = self.gateway.store.parameters.registry.parameters(type_)
        if self.gateway.store.full_text.on:
            return found
        return {code: each for code, each in found.items() if code not in FULL_TEXT}

    def capabilities(self) -> bytes:
        """Give the CapabilityStatement, made once for each state of the search parameters."""
        registry = self.gateway.store.parameters.registry
        if registry.stamp != self._stamp:
            self._metadata, self._stamp = None, registry.stamp
            self._statements.clear()
        if self._metadata is None:
            ability = Ability(
                types=resource_types(),
                type_interactions=fhir_routes.TYPE_INTERACTIONS,
                system_interactions=fhir_routes.SYSTEM_INTERACTIONS,
                conditions=fhir_routes.conditions(self.gateway.writing),
                patch_formats=patches.FORMATS,
                parameters=self._searched,
                compartments=compartments(),
                operations=tuple(operations.claims(resource_types())),
                documentation=LATER if self.answers_later else "",
                profiles=pdsm_profiles.SUPPORTED,
            )
            self._metadata = statement(
                ability,
                base_url=self.gateway.base_url,
                software_version=self.software_version,
                date=dump_instant(self.gateway.clock())[:10],
            )
        return self._metadata

    async def _stated(self, request: Request) -> bytes:
        """Give the statement that is asked for; that of terminology as the record is now."""
        if not _of_terminology(request):
            return self.capabilities()
        packages = self.gateway.store.packages
        stamp = await packages.terminology_stamp()
        if self._terminology is None or self._terminology[0] != stamp:
            systems = await packages.code_systems(limit=CODE_SYSTEMS_MAX)
            expand = operations.find("expand", "type", "ValueSet")
            made = terminology_capability.statement(
                [(url, version) for url, version, content in systems if content in USABLE],
                [each.name for each in (expand.inputs or ())] if expand is not None else [],
                base_url=self.gateway.base_url,
                software_version=self.software_version,
                date=dump_instant(self.gateway.clock())[:10],
            )
            self._terminology = (stamp, made)
        return self._terminology[1]

    async def _capabilities(self, request: Request, method: str) -> Reply:
        """Answer ``GET [base]/metadata`` (https://hl7.org/fhir/R4/http.html#capabilities)."""
        if method != "GET":
            raise NotAllowedHere(_allowed(METADATA))
        wanted = request.wanted()
        if _of_terminology(request):
            return await formats.formed(responses.fhir(await self._stated(request)), wanted)
        said = self.capabilities()
        if wanted not in self._statements:
            reply = responses.fhir(said)
            self._statements[wanted] = await formats.formed(reply, wanted)
        return self._statements[wanted]


def _of_terminology(request: Request) -> bool:
    """Tell whether the statement of terminology is asked for, which is another resource."""
    return ("mode", "terminology") in request.all_pairs()


def _without_route(shape: str, method: str) -> Exception:
    """Say why a method has no handler: not there yet by its name, or not allowed."""
    coming = NOT_THERE_YET.get(shape, {})
    if method in coming:
        return NotSupported(issue("http.not-there-yet", what=coming[method]))
    return NotAllowedHere(_allowed(shape))


def _allowed(shape: str) -> frozenset[str]:
    """Give the methods of an address (https://www.rfc-editor.org/rfc/rfc9110#section-9.3.7)."""
    own = {"GET"} if shape == METADATA else {*ROUTES.get(shape, ()), *NOT_THERE_YET.get(shape, ())}
    return frozenset({*own, "OPTIONS", *(("HEAD",) if "GET" in own else ())})
