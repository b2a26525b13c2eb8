"""The interactions on one resource: read, vread, create, update, delete.

https://hl7.org/fhir/R4/http.html . One way down to the repository, one way up from it.
"""

import re
from email.utils import parsedate_to_datetime

from passerelle.api.rest import negotiation, responses, subsets
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Header, Reply
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid, NotFound
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import bundle
from passerelle.fhir.instants import SECOND
from passerelle.fhir.resource import Key, Resource
from passerelle.store.contract import Outcome, Version

ID = re.compile(r"[A-Za-z0-9.\-]{1,64}\Z")
VERSION = re.compile(r"[0-9]{1,18}\Z")


async def read(repository: Repository, request: Request) -> Reply:
    """Give the current version, or 304 when the client has it already.

    https://hl7.org/fhir/R4/http.html#read and #cread
    """
    part = part_asked(request) if request.query else None
    version = await repository.read(instance_key(request))
    return _given(version, request, part)


async def vread(repository: Repository, request: Request) -> Reply:
    """Give one version (https://hl7.org/fhir/R4/http.html#vread)."""
    part = part_asked(request) if request.query else None
    version = await repository.vread(instance_key(request), version_number(request))
    return _given(version, request, part)


def part_asked(request: Request) -> subsets.Asked | None:
    """Give what part of a resource is asked for, None for the whole.

    Raises Invalid for a parameter that is not applied, when the client wants to be told (strict).
    """
    wanted = subsets.asked(request.pairs())
    if wanted.counted:
        raise Invalid(issue("search.value-invalid", "_summary", name="_summary", kind="code"))
    _demand_none(request, wanted.rest)
    return wanted


def _given(version: Version, request: Request, part: subsets.Asked | None) -> Reply:
    """Give a version, or 304 when the client has it already."""
    if is_held(version, request):
        return responses.bare(version, 304)
    if part is None or part.subset is None or version.body is None:
        return responses.served(version)
    return responses.served(version._replace(body=part.body(version.body)))


async def create(repository: Repository, request: Request) -> Reply:
    """Keep a new resource; with If-None-Exist, the one that is there already is given back.

    https://hl7.org/fhir/R4/http.html#create and #ccreate
    """
    criteria = criteria_of_none(request)
    resource = await request.resource()
    _demand_type(resource, request.type)
    outcome = await repository.create(resource, if_none_exist=criteria)
    return written(outcome, repository, request)


async def update(repository: Repository, request: Request) -> Reply:
    """Keep a version under an id (https://hl7.org/fhir/R4/http.html#update)."""
    key = instance_key(request)
    expected, absent = expectation(request)
    resource = await request.resource()
    _demand_type(resource, key.type)
    if "id" not in resource:
        raise Invalid(issue("http.resource-id-missing", f"{key.type}.id"))
    if resource["id"] != key.id:
        raise Invalid(issue("http.resource-id-mismatch", f"{key.type}.id"))
    outcome = await repository.update(key, resource, if_match=expected, must_be_absent=absent)
    return written(outcome, repository, request)


async def update_matching(repository: Repository, request: Request) -> Reply:
    """Update what the criteria designate (https://hl7.org/fhir/R4/http.html#cond-update)."""
    criteria = criteria_of(request)
    expected, absent = expectation(request)
    if absent:  # the criteria say already what must not be there
        raise Invalid(issue("http.if-none-match-write"))
    resource = await request.resource()
    _demand_type(resource, request.type)
    outcome = await repository.update_matching(request.type, criteria, resource, if_match=expected)
    return written(outcome, repository, request)


async def delete(repository: Repository, request: Request) -> Reply:
    """Delete a resource; its versions stay (https://hl7.org/fhir/R4/http.html#delete)."""
    if request.query:
        demand_no_parameters(request)
    expected = negotiation.if_match(request.header(b"if-match"))
    outcome = await repository.delete(instance_key(request), if_match=expected)
    tag: tuple[Header, ...] = ()
    if outcome.version is not None:
        tag = ((b"etag", responses.etag(outcome.version.version)),)
    if request.preference.returns == "OperationOutcome":
        tag = (*tag, responses.RETURNED["OperationOutcome"])
        return responses.said(200, [issue("http.done")], tag)
    return Reply(204, tag)


def written(outcome: Outcome, repository: Repository, request: Request) -> Reply:
    """Give the answer to a create or an update, as ``Prefer: return`` asks."""
    version = outcome.version
    assert version is not None  # only a deletion has none
    status = 201 if outcome.action == "created" else 200
    address = bundle.outcome_location(repository.gateway.base_url, version.key, version.version)
    more: tuple[Header, ...] = ((b"location", address.encode()),)
    returns = request.preference.returns
    if returns is not None:
        more = (*more, responses.RETURNED[returns])
    if returns == "minimal":
        return responses.bare(version, status, more)
    if returns == "OperationOutcome":
        headers = (*responses.version_headers(version), *more)
        return responses.said(status, [*outcome.warnings, issue("http.done")], headers)
    return responses.served(version, status=status, more=more)


def criteria_of_none(request: Request) -> str | None:
    """Give the criteria of If-None-Exist, None when there is none. Raises Invalid."""
    condition = request.header(b"if-none-exist")
    criteria = None if condition is None else condition.rpartition("?")[2].strip()
    if criteria == "":
        raise Invalid(issue("http.if-none-exist-empty"))
    return criteria


def version_number(request: Request) -> int:
    """Give the version of the address. Raises NotFound for what cannot be one."""
    if not VERSION.match(request.version):
        raise NotFound(issue("http.version-malformed"))
    return int(request.version)


def criteria_of(request: Request) -> str:
    """Give the criteria of a conditional interaction, as they were written. Raises Invalid."""
    criteria = "&".join(
        part
        for part in request.query.decode("latin-1").split("&")
        if part and part.partition("=")[0] not in ("_format", "_pretty")
    )
    if not criteria:
        raise Invalid(issue("http.criteria-missing", type=request.type))
    return criteria


def instance_key(request: Request) -> Key:
    """Give the key of the address. Raises Invalid for an id that none can have."""
    if not ID.match(request.id):
        raise Invalid(issue("http.id-malformed"))
    return Key(request.type, request.id)


def _demand_type(resource: Resource, type_: str) -> None:
    if resource.get("resourceType") != type_:
        raise Invalid(issue("http.type-mismatch", "resourceType", type=type_))


def demand_no_parameters(request: Request) -> None:
    """Refuse parameters that are not applied, when the client wants to be told (strict)."""
    _demand_none(request, request.pairs())


def _demand_none(request: Request, pairs: list[tuple[str, str]]) -> None:
    if not request.strict:
        return
    unknown = {name for name, _ in pairs}
    if unknown:
        raise Invalid(*(issue("http.parameter-unknown", name=shown(name)) for name in unknown))


def shown(name: str) -> str:
    """Give a parameter's name as it may be told: anything but a plain name might be a value."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:\-]{0,63}", name) else "?"


def expectation(request: Request) -> tuple[int | None, bool]:
    """Give the version of If-Match, and whether If-None-Match asks that there be nothing yet.

    Raises Invalid: of a write, only ``*`` makes sense there.
    """
    absent = request.header(b"if-none-match")
    if absent is not None and absent.strip() != "*":
        raise Invalid(issue("http.if-none-match-write"))
    return negotiation.if_match(request.header(b"if-match")), absent is not None


def is_held(version: Version, request: Request) -> bool:
    """Tell whether the client holds this version; If-None-Match goes before If-Modified-Since."""
    held = request.header(b"if-none-match")
    if held is not None:
        known = negotiation.tags(held)
        return str(version.version) in known or "*" in known
    since = request.header(b"if-modified-since")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    return version.at // SECOND <= moment.timestamp()
