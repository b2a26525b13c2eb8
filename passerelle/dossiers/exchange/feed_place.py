"""A place in the feed of changes, and the cursor that it is written as.

The cursor is sealed for its caller, as that of a search is (``store/search_sql/cursor.py``).
"""

from dataclasses import replace
from typing import NamedTuple

from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid
from passerelle.store.caller import Caller
from passerelle.store.contract import Mark

START, NOW = "start", "now"
"""Words for the beginning of the log, and for what comes from now on."""

FEED = "feed"
CURSOR_LENGTH_MAX = 1_000


class FeedPlace(NamedTuple):
    """All until ``mark`` is told, and of the change behind it the dossiers until ``after``."""

    mark: Mark = Mark()
    after: str = ""


async def parse_place(gateway: Gateway, caller: Caller, cursor: str) -> FeedPlace:
    """Read a cursor, or one of the words. Raises Invalid."""
    if cursor in (START, ""):
        return FeedPlace()
    if cursor == NOW:
        return FeedPlace(await gateway.store.dossiers.newest(caller))
    try:
        at, seq, after = gateway.store.dossiers.unseal(caller, FEED, cursor[:CURSOR_LENGTH_MAX], 3)
    except Invalid as refusal:
        raise Invalid(*(replace(each, expression="cursor") for each in refusal.issues)) from None
    return FeedPlace(Mark(int(at or 0), int(seq or 0)), str(after))


def dump_place(gateway: Gateway, caller: Caller, place: FeedPlace) -> str:
    """Write the cursor of a place."""
    return gateway.store.dossiers.seal(caller, FEED, (*place.mark, place.after))
