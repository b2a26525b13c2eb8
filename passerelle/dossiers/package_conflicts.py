"""One canonical and version with several contents: which packages say so, and whose is valid.

Guides republish what other guides define, and not always as it was. All contents are kept and can
be read and searched; where a canonical is resolved (terminology, ``fhir.terminology.canonicals``)
the one that came first into the record is valid, until it goes. https://hl7.org/fhir/R4/
resource.html#canonical leaves the choice to the server.
"""

from typing import NamedTuple

from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.packages.package_reading import PackageKey
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Version

OWN = ("id", "meta", "text")
"""What differs between two resources of the same content."""

BATCH = 500


class CanonicalConflict(NamedTuple):
    """A canonical whose content is that of ``valid``; ``others`` bring another one."""

    type: str
    canonical: str
    valid: PackageKey
    others: tuple[PackageKey, ...]

    @property
    def told(self) -> Issue:
        """The warning of it."""
        others = ", ".join(map(str, self.others))
        return issue(
            "package.canonical-taken",
            canonical=f"{self.type} {self.canonical}",
            valid=str(self.valid),
            others=others,
        )


async def conflicts(
    gateway: Gateway, package: PackageKey | None = None
) -> tuple[CanonicalConflict, ...]:
    """Give the conflicts of all packages, or those that one of them has a part in."""
    named: dict[tuple[str, str, str], list[tuple[Key, PackageKey]]] = {}
    for type_, url, version, id_, *of in await gateway.store.packages.republished():
        of_package = PackageKey(*of)
        named.setdefault((type_, url, version), []).append((Key(type_, id_), of_package))
    if package is not None:
        named = {
            canonical: found
            for canonical, found in named.items()
            if any(of_package == package for _, of_package in found)
        }
    told: list[CanonicalConflict] = []
    canonicals = sorted(named)
    for start in range(0, len(canonicals), BATCH):
        some = canonicals[start : start + BATCH]
        keys = [key for canonical in some for key, _ in named[canonical]]
        heads = await gateway.store.read_many(keys, SYSTEM)
        for type_, url, version in some:
            there = [
                (heads[key], of_package)
                for key, of_package in named[type_, url, version]
                if key in heads and heads[key].body is not None
            ]
            there.sort(key=lambda each: each[0].pid)
            contents = [_content(version) for version, _ in there]
            others = tuple(
                of_package
                for (_, of_package), content in zip(there, contents, strict=True)
                if content != contents[0]
            )
            if others:
                canonical = f"{url}|{version}" if version else url
                told.append(CanonicalConflict(type_, canonical, there[0][1], others))
    return tuple(told)


def _content(version: Version) -> dict[str, object]:
    """Give what a resource says, without what is its own."""
    assert version.body is not None
    body = json_text.decode(version.body)
    return {name: value for name, value in body.items() if name not in OWN}
