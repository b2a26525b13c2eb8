"""One entry of a transaction or a batch, read: what it asks, of which resource, on what condition.

https://hl7.org/fhir/R4/http.html#transaction , https://hl7.org/fhir/R4/bundle.html . Beside the
standard spelling, the shapes met in French bundles are read (with a warning): ``POST Type/id``
and an url that names no type.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir.bundles import asking_entries, entry_conditions, patch_entries
from passerelle.fhir.bundles.asking_entries import ID, SYSTEM, TYPE_LIKE, Address
from passerelle.fhir.resource import Key, Resource

Interaction: TypeAlias = Literal[
    "create",
    "update",
    "update_matching",
    "patch",
    "patch_matching",
    "delete",
    "delete_matching",
    "ask",
]
"""What is done for an entry: one name for each method of the repository that writes, and ``ask``
for what writes nothing, or is an operation."""

METHODS = ("DELETE", "POST", "PUT", "PATCH", "GET", "HEAD")
WITH_RESOURCE = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """One entry: its place in the bundle, what it asks, of what, on which conditions.

    ``key`` is set for update, patch and delete; ``criteria`` (the query, without ``?``) for what
    ends in ``_matching``; ``must_be_absent`` is an update with ``ifNoneMatch: *``; ``issues`` are
    warnings to say in its answer. A PATCH has the patch as its resource, an operation its inputs.
    ``address``, ``if_none_match`` (as written) and ``if_modified_since`` are those of ``ask``.
    """

    index: int
    method: str
    interaction: Interaction
    type: str
    key: Key | None = None
    criteria: str | None = None
    if_match: int | None = None
    if_none_match: str | None = None
    if_modified_since: int | None = None
    if_none_exist: str | None = None
    must_be_absent: bool = False
    full_url: str | None = None
    resource: Resource | None = None
    issues: tuple[Issue, ...] = ()
    address: Address = SYSTEM


class EntryReading:
    """The reading of one entry: gathers its faults and its warnings while it goes on."""

    def __init__(self, index: int, entry: Any, types: Collection[str], base_url: str) -> None:
        self.index = index
        self.entry = entry
        self.types = types
        self.base_url = base_url
        self.place = f"Bundle.entry[{index}]"
        self.faults: list[Issue] = []
        self.warnings: list[Issue] = []

    def run(self) -> PlannedEntry | None:
        """Give the entry as planned, or None when ``faults`` says why not."""
        request = self.entry.get("request") if isinstance(self.entry, dict) else None
        if not isinstance(request, dict):
            self._fault("bundle.request-missing", "request")
            return None
        method = request.get("method")
        url = request.get("url")
        if method not in METHODS:
            self._fault("bundle.method-unknown", "request.method")
        if not isinstance(url, str) or not url.strip():
            self._fault("bundle.url-missing", "request.url")
        if self.faults or not isinstance(url, str):
            return self._with_conditions(request, None)
        relative = self._relative(url.strip())
        address = asking_entries.address_of(relative)
        if method in ("GET", "HEAD") or (method == "POST" and address.operation is not None):
            return self._with_conditions(request, self._asking(str(method), address))
        return self._with_conditions(request, self._writing(str(method), relative))

    def _asking(self, method: str, address: Address) -> PlannedEntry | None:
        """Read what an entry asks, at the addresses that the same request could have by itself."""
        rule = asking_entries.fault_of(address, self.types)
        if rule is not None:
            self._fault(rule, "request.url")
        resource = self.entry.get("resource") if method == "POST" else None
        if resource is not None and not isinstance(resource, dict):
            self._fault("bundle.resource-missing", "resource", method=method)
        type_ = address.segments[0] if address.segments else ""
        return PlannedEntry(self.index, method, "ask", type_, resource=resource, address=address)

    def _writing(self, method: str, relative: str) -> PlannedEntry | None:
        resource = self._resource(method) if method in WITH_RESOURCE else None
        if method == "PATCH" and resource is not None:
            self._read_patch(resource)
        if self.faults:
            return None
        path, _, criteria = relative.partition("?")
        target = self._target(method, path.split("/"), criteria, resource)
        if target is None:
            return None
        full_url = self.entry.get("fullUrl")
        return PlannedEntry(
            index=self.index,
            method=method,
            full_url=full_url if isinstance(full_url, str) else None,
            resource=resource,
            **target,
        )

    def _with_conditions(
        self, request: Resource, planned: PlannedEntry | None
    ) -> PlannedEntry | None:
        """Add the conditions of an entry; None when there is any fault."""
        conditions = entry_conditions.read(request, self._fault)
        if planned is None or self.faults:
            return None
        return replace(planned, issues=tuple(self.warnings), **conditions)

    def _fault(self, rule: str, element: str, **parts: object) -> None:
        self.faults.append(issue(rule, f"{self.place}.{element}", **parts))

    def _warn(self, rule: str, element: str, **parts: object) -> None:
        self.warnings.append(issue(rule, f"{self.place}.{element}", **parts))

    def _relative(self, url: str) -> str:
        """Give the url without our own base and without a slash in front."""
        if self.base_url and url.startswith(self.base_url):
            rest = url[len(self.base_url) :]
            url = rest if rest[:1] in ("/", "?", "") else url
        return url.removeprefix("/")

    def _read_patch(self, resource: Resource) -> None:
        """Note the faults of a patch; it is read again once its links can be resolved."""
        if _type_of(resource) not in patch_entries.TYPES:
            self._fault("bundle.patch-resource", "resource")
            return
        try:
            patch_entries.read(resource, lambda _: None)
        except Invalid as refusal:
            for said in refusal.issues:
                _, _, rest = (said.expression or "").partition(".")
                place = f"{self.place}.resource{'.' if rest else ''}{rest}"
                self.faults.append(replace(said, expression=place))

    def _resource(self, method: object) -> Resource | None:
        resource = self.entry.get("resource")
        if not isinstance(resource, dict):
            self._fault("bundle.resource-missing", "resource", method=method)
            return None
        if _type_of(resource) not in self.types:
            self._fault("bundle.resource-type-unknown", "resource.resourceType")
            return None
        return resource

    def _target(
        self, method: str, path: list[str], criteria: str, resource: Resource | None
    ) -> dict[str, Any] | None:
        """Give interaction, type, key, version and criteria of an url."""
        if any(part.startswith(("$", "_search")) for part in path):
            self._fault("bundle.interaction-not-supported", "request.url")
            return None
        if len(path) > 1 and not ID.match(path[1]):
            self._fault("bundle.url-malformed", "request.url")
            return None
        type_ = self._type(path[0], None if method == "PATCH" else resource)
        if type_ is None:
            return None
        if method == "PATCH":
            return self._designating("patch", type_, path, criteria)
        if method == "POST" and resource is not None:
            return self._create(type_, path, criteria)
        if method == "PUT" and resource is not None:
            return self._update(type_, path, criteria, resource)
        return self._designating("delete", type_, path, criteria)

    def _type(self, named: str, resource: Resource | None) -> str | None:
        """Give the type an url names; that of the resource when it names none (with a warning)."""
        if resource is None:
            if named in self.types:
                return named
            self._fault("bundle.type-unknown", "request.url")
            return None
        given = str(resource["resourceType"])
        if named == given:
            return given
        if named in self.types or not TYPE_LIKE.match(named):
            self._fault("bundle.type-mismatch", "request.url", type=given)
            return None
        self._warn("bundle.type-taken-from-resource", "request.url", type=given)
        return given

    def _create(self, type_: str, path: list[str], criteria: str) -> dict[str, Any] | None:
        if criteria or len(path) > 2:
            self._fault("bundle.url-malformed", "request.url")
            return None
        if len(path) == 2:
            self._warn("bundle.id-ignored", "request.url")
        return {"interaction": "create", "type": type_}

    def _update(
        self, type_: str, path: list[str], criteria: str, resource: Resource
    ) -> dict[str, Any] | None:
        if len(path) == 1 and criteria:
            return {"interaction": "update_matching", "type": type_, "criteria": criteria}
        if len(path) != 2 or criteria:
            self._fault("bundle.url-malformed", "request.url")
            return None
        if "id" not in resource:
            self._fault("bundle.id-missing", "resource.id")
            return None
        if resource["id"] != path[1]:
            self._fault("bundle.id-mismatch", "resource.id")
            return None
        return {"interaction": "update", "type": type_, "key": Key(type_, path[1])}

    def _designating(
        self, name: str, type_: str, path: list[str], criteria: str
    ) -> dict[str, Any] | None:
        """Give what ``Type/id`` or ``Type?criteria`` designates to be deleted or patched."""
        if len(path) == 1 and criteria:
            return {"interaction": f"{name}_matching", "type": type_, "criteria": criteria}
        if len(path) != 2 or criteria:
            self._fault("bundle.url-malformed", "request.url")
            return None
        return {"interaction": name, "type": type_, "key": Key(type_, path[1])}


def _type_of(resource: Resource) -> str:
    """Give the type that a resource says it is of; empty when it says none in a text."""
    named = resource.get("resourceType")
    return named if isinstance(named, str) else ""
