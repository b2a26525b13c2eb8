"""Published resources: packages of the French guides, HL7's own examples, Synthea's bundles."""

import bz2
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = Any


def in_archive(archive: Path, folder: str) -> Iterator[tuple[str, bytes]]:
    """Give name and bytes of the resources in a folder of a package."""
    with tarfile.open(archive) as package:
        for member in package.getmembers():
            place, _, name = member.name.rpartition("/")
            file = package.extractfile(member) if place == folder else None
            if file is not None and name.endswith(".json") and name[0].isalnum():
                body = file.read()
                if "resourceType" in json.loads(body):
                    yield name, body


def synthea(shared: Path) -> Iterator[tuple[str, bytes]]:
    """Give the bundles, first those that the others refer to."""
    for file in sorted((shared / "data/synthea").glob("*.json.bz2"), key=_rank):
        yield file.name.partition(".")[0], bz2.decompress(file.read_bytes())


def _rank(file: Path) -> tuple[int, str]:
    names = ("0-hospital", "0-practitioner")
    return next((n for n, name in enumerate(names) if file.name.startswith(name)), 9), file.name


class Number(str):
    """A number as it is written: 1.0 is not 1.00."""


def exact(body: bytes) -> Json:
    """Read JSON with its numbers as they are written."""
    return json.loads(body, parse_float=Number, parse_int=Number)


def as_given(resource: Json) -> Json:
    """Give a resource without what the record says of it."""
    meta = {
        name: value
        for name, value in resource.get("meta", {}).items()
        if name not in ("versionId", "lastUpdated")
    }
    rest = {name: value for name, value in resource.items() if name != "meta"}
    return rest | ({"meta": meta} if meta else {})
