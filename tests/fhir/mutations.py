"""Ways to spoil a resource, each with its name: for the tests that compare two opinions."""

import copy
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

Holder = Any  # a dict or a list
BROKEN: tuple[Any, ...] = (
    "",
    " ",
    " a",
    "a\u0000b",
    "2023-02-30",
    "2020-13",
    "2020-01-01T10:00:00",
    "25:00:00",
    "urn:oid:3.1",
    "urn:uuid:A",
    "=AAA",
    "not a code ",
    "<div>a</div>",
    "x" * 70,
    -1,
    0,
    2**31,
    Decimal("1.50"),
    True,
    "true",
)
NAMES = (
    "id",
    "extension",
    "value",
    "resourceType",
    "language",
    "text",
    "zz",
    "_zz",
    "fhir_comments",
)


def holders(value: Any) -> list[Holder]:
    """Give every object and array of a value that holds something, itself first."""
    inner = value.values() if isinstance(value, dict) else value
    deeper = [found for one in inner if isinstance(one, dict | list) for found in holders(one)]
    return [value, *deeper] if value else deeper


def _keys(holder: Holder) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def _drop(random: Random, holder: Holder, key: Any) -> None:
    del holder[key]


def _duplicate(random: Random, holder: Holder, key: Any) -> None:
    if isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        holder[key] = [holder[key], copy.deepcopy(holder[key])]


def _rename(random: Random, holder: Holder, key: Any) -> None:
    if isinstance(holder, dict):
        new = random.choice([key + "s", key[:-1] or "a", "_" + key, key.capitalize(), "zz"])
        holder[new] = holder.pop(key)


def _retype(random: Random, holder: Holder, key: Any) -> None:
    value = holder[key]
    holder[key] = random.choice([[value], {"value": value}, str(value), 7, True, Decimal("0.5")])


def _empty(random: Random, holder: Holder, key: Any) -> None:
    holder[key] = random.choice(["", [], {}, None, [None], [{}], {"id": "a"}])


def _swap_choice(random: Random, holder: Holder, key: Any) -> None:
    if isinstance(holder, dict):
        for start in ("value", "effective", "onset", "deceased", "multipleBirth", "occurrence"):
            if key.startswith(start) and key != start:
                other = random.choice(["String", "Boolean", "Quantity", "DateTime", "Period"])
                holder[start + other] = holder[key] if random.random() < 0.5 else holder.pop(key)
                return


def _break(random: Random, holder: Holder, key: Any) -> None:
    holder[key] = random.choice(BROKEN)


def _extra(random: Random, holder: Holder, key: Any) -> None:
    if isinstance(holder, dict):
        name = random.choice(NAMES)
        holder[name] = copy.deepcopy(random.choice([holder[key], "a", {"id": "a"}, [], None]))
    else:
        holder.insert(key, None)


def _sibling(random: Random, holder: Holder, key: Any) -> None:
    if isinstance(holder, dict) and not key.startswith("_"):
        extended = {"extension": [{"url": "http://example.org/e", "valueCode": "a"}]}
        holder["_" + key] = random.choice([extended, [extended], [None], {"id": "a"}, {}, None])
        if random.random() < 0.4:
            del holder[key]


MUTATIONS: dict[str, Callable[[Random, Holder, Any], None]] = {
    "drop": _drop,
    "duplicate": _duplicate,
    "rename": _rename,
    "retype": _retype,
    "empty": _empty,
    "swap choice": _swap_choice,
    "break": _break,
    "extra": _extra,
    "sibling": _sibling,
}


def mutated(random: Random, resource: dict[str, Any], name: str) -> dict[str, Any]:
    """Give a copy of a resource with one change of a kind at a place chosen at random."""
    changed = copy.deepcopy(resource)
    holder = random.choice(holders(changed))
    MUTATIONS[name](random, holder, random.choice(_keys(holder)))
    return changed
