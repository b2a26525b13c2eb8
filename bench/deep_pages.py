"""Page by page into a long list: the addresses of its first page and of one far behind."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bench.targets import Asking, Target

PAGE = 10
ALIKE = 20
"""As many neighbouring pages are asked for in turns, so that no one page is all that is seen."""


class Pages(NamedTuple):
    """The first pages, and as many at a depth (1 is the first); no deep ones when there is none.

    Asked for over and over, one page alone would lie in the caches, as those at a depth do not.
    """

    first: tuple[str, ...]
    deep: tuple[str, ...]
    depth: int


def next_of(bundle: dict[str, Any]) -> str | None:
    """Give the address (path and query) of the next page of a Bundle."""
    for link in bundle.get("link") or ():
        if link.get("relation") == "next":
            parts = urlsplit(str(link.get("url")))
            return f"{parts.path}?{parts.query}"
    return None


def walk(target: Target, search: str, depth: int) -> Pages:
    """Follow the next links as deep as a page, or as there are pages."""
    asking = Asking(target)
    seen: list[str] = []
    begun: list[str] = []
    place: str | None = f"{target.path}/{search}"
    number = 0
    try:
        while place is not None and number < depth:
            number += 1
            if number <= ALIKE:
                begun.append(place)
            seen = [*seen[-ALIKE + 1 :], place]
            bundle = asking.json("GET", place)
            place = next_of(bundle) if bundle is not None else None
    finally:
        asking.close()
    return Pages(tuple(begun), tuple(seen) if number > ALIKE else (), number)
