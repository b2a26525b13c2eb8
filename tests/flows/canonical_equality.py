"""When two records say the same: resources compared without what a server makes up.

What came in by different doors (a push of a dossier, a transaction of a guide) bears other ids,
versions and instants, and refers to other ids. Resources are therefore called by their business
identifiers; those that have none, by what they say. Two sets of resources are equal when each
resource of one stands in the other, references to the same things included, in any order.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = dict[str, Any]

MADE_UP = ("versionId", "lastUpdated")
"""Elements of ``meta`` that every server gives anew."""

UNORDERED = {("List", "entry"), ("", "tag"), ("", "profile"), ("", "security")}
"""Elements whose order says nothing: (type, element), no type for those of ``meta``."""

ROUNDS = 3
"""As long as chains of resources without identifiers are told apart."""

LOCAL = re.compile(r"(?:https?://[^\s]+/fhir/)?(?P<key>[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64})\Z")


def canonical(resources: Iterable[Json]) -> list[Json]:
    """Give resources as they are compared: without ids, called by name, in a fixed order."""
    held = {f"{one['resourceType']}/{one['id']}": one for one in resources}
    names = {key: _named(one) or one["resourceType"] for key, one in held.items()}
    unnamed = [key for key, one in held.items() if _named(one) is None]
    for _ in range(ROUNDS):
        said = {key: _digest(_canonical(held[key], names)) for key in unnamed}
        names |= {key: f"{held[key]['resourceType']}#{digest}" for key, digest in said.items()}
    return sorted((_canonical(one, names) for one in held.values()), key=_text)


def differences(one: Iterable[Json], other: Iterable[Json]) -> tuple[list[Json], list[Json]]:
    """Give what only the first has, and what only the second has; two empty lists when equal."""
    texts = [{_text(each): each for each in canonical(some)} for some in (one, other)]
    return (
        [each for text, each in texts[0].items() if text not in texts[1]],
        [each for text, each in texts[1].items() if text not in texts[0]],
    )


def _named(resource: Json) -> str | None:
    """Give what a resource is called by, None when it has no identifier of its own."""
    found = resource.get("identifier", [])
    identifiers = [*(found if isinstance(found, list) else [found])]
    if "masterIdentifier" in resource:
        identifiers.append(resource["masterIdentifier"])
    values = sorted(
        f"{one.get('system', '')}|{one['value']}" for one in identifiers if "value" in one
    )
    return f"{resource['resourceType']}?{','.join(values)}" if values else None


def _canonical(resource: Json, names: Mapping[str, str]) -> Json:
    def walked(node: Any, type_: str, within: str) -> Any:
        if isinstance(node, dict):
            kind = str(node.get("resourceType", ""))
            return {
                name: walked(value, kind, name)
                for name, value in node.items()
                if not (within == "meta" and name in MADE_UP)
            }
        if isinstance(node, list):
            items = [walked(item, type_, within) for item in node]
            free = (type_, within) in UNORDERED or ("", within) in UNORDERED
            return sorted(items, key=_text) if free else items
        if isinstance(node, str) and within in ("reference", "url"):
            match = LOCAL.match(node)
            return names.get(match["key"], node) if match else node
        return node

    made: Json = walked(resource, "", "")
    made.pop("id", None)
    if not made.get("meta"):
        made.pop("meta", None)
    return made


def _text(node: Any) -> str:
    return json.dumps(node, sort_keys=True, ensure_ascii=False)


def _digest(node: Json) -> str:
    return hashlib.sha256(_text(node).encode()).hexdigest()[:16]


Ask = Callable[[str], Json]
"""Answers the resource at an address below the base, as JSON."""


def gathered(ask: Ask, *searches: str) -> list[Json]:
    """Give all that searches find, page by page; Binaries with their bytes."""
    found: dict[str, Json] = {}
    for search in searches:
        address: str | None = search
        while address:
            bundle = ask(address)
            for entry in bundle.get("entry", ()):
                one = entry["resource"]
                key = f"{one['resourceType']}/{one['id']}"
                found[key] = ask(key) if one["resourceType"] == "Binary" else one
            links = {link["relation"]: link["url"] for link in bundle.get("link", ())}
            address = links.get("next", "").rpartition("/fhir/")[2] or None
    return list(found.values())
