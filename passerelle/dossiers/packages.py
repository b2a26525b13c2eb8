"""FHIR packages of a record: adding, listing, removing.

The conformance resources of a package go into the record as resources like any other, under ids of
their own (docs/decisions/2611-packages-in-the-record.md). A package that was begun and not ended
is gone on with when it is added again; adding what is there changes nothing.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeAlias, TypeVar

from passerelle.dossiers import keeping
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.package_conflicts import conflicts
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import Conflict, Issue, NotFound, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir.packages.package_reading import Package, Packaged, PackageKey, read_package
from passerelle.fhir.packages.tar_reading import Limits
from passerelle.fhir.resource import Resource
from passerelle.fhir.search import added_parameters
from passerelle.fhir.search.registry import Registry
from passerelle.store.caller import Caller
from passerelle.store.contract import Delete, Draft, PackageExpectation, Put, Stale, Unit
from passerelle.store.packages import ConformanceRow, InstalledPackage

AUTHOR = Caller("packages")
BATCH = 500
"""Resources written in one transaction: nearly every guide is there whole, or not at all."""

Progress = Callable[[int, int], None]
_Published: TypeAlias = tuple[Packaged, Resource]
T = TypeVar("T")


class Added(NamedTuple):
    """What became of a package: ``is_new`` is false when it was there already."""

    key: PackageKey
    is_new: bool
    resources: int
    examples: int
    issues: tuple[Issue, ...] = ()


class Removed(NamedTuple):
    """How many resources went, and which packages miss the one that was removed."""

    resources: int
    issues: tuple[Issue, ...] = ()


async def add(
    gateway: Gateway,
    body: bytes,
    *,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> Added:
    """Add the package whose archive is given.

    Raises Invalid (what cannot be read as a package), Conflict (the same version with other
    contents is there, or somebody removes it at the same time).
    """
    package = await asyncio.to_thread(read_package, body, limits)
    installed = await _by_key(gateway)
    there = installed.get(package.key)
    if there is not None and there.state == "removing":  # and was stopped, or is at it
        await _removed(gateway, there, None)
        installed = await _by_key(gateway)
        there = installed.get(package.key)
    if there is not None and there.digest != package.digest:
        raise Conflict(issue("package.other-content", package=str(package.key)))
    missing = _missing(package.dependencies, installed)
    if there is not None and there.state == "ready":
        return Added(package.key, False, there.resources, there.examples, missing)
    faults = await _load(gateway, package, progress)
    found = await conflicts(gateway, package.key)
    said = (*package.issues, *faults, *missing, *(each.told for each in found))
    return Added(package.key, True, len(package.resources), package.examples, said)


async def installed_all(gateway: Gateway) -> tuple[InstalledPackage, ...]:
    """Give every package of the record, by name and version."""
    return await gateway.store.packages.all()


async def is_installed(gateway: Gateway, digest: str) -> bool:
    """Tell whether an archive (its SHA-256) has been added and is whole."""
    found = await installed_all(gateway)
    return any(each.digest == digest and each.state == "ready" for each in found)


async def remove(gateway: Gateway, key: PackageKey, *, progress: Progress | None = None) -> Removed:
    """Delete the resources of a package and forget it. Raises NotFound.

    Their versions stay in the log, as those of anything deleted. Packages that depend on it stay,
    and are told in the answer.
    """
    installed = await gateway.store.packages.all()
    there = [each for each in installed if key == (each.name, each.version)]
    if not there:
        raise NotFound(issue("package.not-installed", package=str(key)))
    count = await _removed(gateway, there[0], progress)
    return Removed(count, needing(key, installed))


async def _removed(gateway: Gateway, package: InstalledPackage, progress: Progress | None) -> int:
    """Delete the resources of a package and forget it; give how many it had.

    From the first step on nothing is added to it. When somebody else has come to the end of the
    same removal before, nothing is left to do.
    """
    tables = gateway.store.packages
    await tables.set_removing(package)
    keys = await tables.keys(package.name, package.version)
    expected = PackageExpectation(package.name, package.version, package.at, ("removing",))
    for done, some in _batches(keys):
        try:
            unit = Unit(writes=tuple(map(Delete, some)), package=expected)
            await gateway.store.commit(unit, AUTHOR)
        except Stale:
            break
        _tell(progress, done, len(keys))
    await tables.forget(package)
    return len(keys)


def dependencies(package: InstalledPackage) -> dict[str, str]:
    """Give the dependencies of an installed package, versions by name."""
    found: dict[str, str] = json.loads(package.dependencies)
    return found


async def _load(gateway: Gateway, package: Package, progress: Progress | None) -> tuple[Issue, ...]:
    """Write the resources of a package, a batch at a time; give the warnings."""
    tables = gateway.store.packages
    await tables.begin(_begun(package, gateway.clock()))
    begun = (await _by_key(gateway)).get(package.key)
    issues: list[Issue] = []
    if begun is None or begun.digest != package.digest:
        raise Conflict(issue("package.changed-meanwhile", package=str(package.key)))
    for done, some in _batches(package.resources):
        published = await asyncio.to_thread(_published, some)
        # Noted first: what a crash leaves behind is then found when the package is removed.
        await tables.note(begun, [_row(*each) for each in published])
        issues += await settle(partial(_write, gateway, begun, published))
        _tell(progress, done, len(package.resources))
    await tables.set_ready(begun)
    return tuple(issues)


async def _by_key(gateway: Gateway) -> dict[PackageKey, InstalledPackage]:
    return {PackageKey(each.name, each.version): each for each in await installed_all(gateway)}


def _published(some: Sequence[Packaged]) -> list[_Published]:
    return [(each, each.resource) for each in some]


async def _write(
    gateway: Gateway, package: InstalledPackage, some: Sequence[_Published]
) -> list[Issue]:
    """Write some resources in one transaction; give the warnings.

    Raises Stale, and Conflict when the package is being removed.
    """
    registry = gateway.store.parameters.registry
    drafts, issues = await asyncio.to_thread(_drafts, some, registry)
    expected = PackageExpectation(package.name, package.version, package.at, ("loading", "ready"))
    try:
        unit = Unit(writes=tuple(map(Put, drafts)), package=expected)
        await gateway.store.commit(unit, AUTHOR)
    except Stale:
        key = PackageKey(package.name, package.version)
        now = (await _by_key(gateway)).get(key)
        if now is None or now.at != package.at or now.state == "removing":
            raise Conflict(issue("package.changed-meanwhile", package=str(key))) from None
        raise
    return issues


def _drafts(some: Sequence[_Published], registry: Registry) -> tuple[list[Draft], list[Issue]]:
    """Make the drafts of resources.

    They are kept as published: whoever uses a guide cannot mend it. What is too odd to be indexed
    is left out, and told.
    """
    drafts: list[Draft] = []
    issues: list[Issue] = []
    for each, resource in some:
        try:
            drafts.append(keeping.draft(each.key, resource, registry=registry))
            issues += _about_parameter(each, resource, registry)
        except (PasserelleError, TypeError, ValueError, AttributeError, LookupError):
            issues.append(issue("package.resource-left-out", each.path))
    return drafts, issues


def _about_parameter(each: Packaged, resource: Resource, registry: Registry) -> list[Issue]:
    """Warn of a SearchParameter that cannot be one of ours."""
    if each.key.type != "SearchParameter":
        return []
    found = added_parameters.faults(resource, registry)
    return [replace(said, severity="warning", expression=each.path) for said in found]


def _begun(package: Package, at: int) -> InstalledPackage:
    return InstalledPackage(
        *package.key,
        digest=package.digest,
        state="loading",
        at=at,
        resources=len(package.resources),
        examples=package.examples,
        canonical=package.canonical,
        title=package.title,
        dependencies=json.dumps(package.dependencies).encode(),
    )


def _row(each: Packaged, resource: Resource) -> ConformanceRow:
    url, version = resource.get("url"), resource.get("version")
    return ConformanceRow(
        each.key,
        each.path,
        url if isinstance(url, str) else None,
        version if isinstance(version, str) else None,
    )


def missing_by_package(
    installed: Sequence[InstalledPackage],
) -> dict[PackageKey, tuple[Issue, ...]]:
    """Give for each package the warnings of its dependencies that are not installed."""
    there = [PackageKey(each.name, each.version) for each in installed]
    return {
        key: _missing(dependencies(each), there) for key, each in zip(there, installed, strict=True)
    }


def needing(key: PackageKey, installed: Sequence[InstalledPackage]) -> tuple[Issue, ...]:
    """Warn of the packages that depend on one, where no other version serves them as well."""
    there = [PackageKey(each.name, each.version) for each in installed]
    others = [each for each in there if each != key]
    return tuple(
        issue("package.needed", by=str(PackageKey(each.name, each.version)))
        for each in installed
        for name, version in sorted(dependencies(each).items())
        if name == key.name
        and _suits(key.version, version)
        and not any(other.name == name and _suits(other.version, version) for other in others)
    )


def _missing(dependencies: Mapping[str, str], installed: Iterable[PackageKey]) -> tuple[Issue, ...]:
    """Warn of dependencies that no installed package answers to; ``4.0.x`` is any of 4.0."""
    there = set(installed)
    return tuple(
        issue("package.dependency-missing", "package/package.json", name=name, version=version)
        for name, version in sorted(dependencies.items())
        if not any(each.name == name and _suits(each.version, version) for each in there)
    )


def _suits(there: str, wanted: str) -> bool:
    begin = wanted.removesuffix("x")
    return there.startswith(begin) if begin != wanted else there == wanted


def _batches(items: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    """Give a batch at a time, with how many there were up to its end."""
    for start in range(0, len(items), BATCH):
        some = items[start : start + BATCH]
        yield start + len(some), some


def _tell(progress: Progress | None, done: int, of: int) -> None:
    if progress is not None:
        progress(done, of)
