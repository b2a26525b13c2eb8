"""Resources to search, drawn from the structure tables: few values, so that they meet often."""

from collections.abc import Callable
from random import Random
from typing import Any

from passerelle.fhir.conformance.structure_table import (
    Element,
    Kind,
    codes,
    elements,
    patterns,
    resource_types,
)
from tests.oracle.stock import (
    CODES,
    DATES,
    INSTANTS,
    NUMBERS,
    RARE,
    SIZE,
    SYSTEMS,
    TYPES,
    UCUM,
    UNITS,
    URIS,
    WORDS,
)

Resource = dict[str, Any]

_LEFT_OUT = frozenset(
    {"id", "meta", "implicitRules", "language", "text", "contained", "extension"}
    | {"modifierExtension"}
)
_ELSEWHERE = "http://elsewhere.fr/fhir/"
_DEPTH_MAX = 4
_SHARES = (0.5, 0.4, 0.25, 0.25, 0.25)
"""Of the elements of a type that are there, by how deep they lie."""
_FULLER = (
    *(*RARE, "Observation"),
    *("RiskAssessment.prediction", "Location.position", "Group.characteristic"),
)
_MANY = 2


def _word(random: Random) -> str:
    return random.choice(WORDS)


def _quantity(random: Random) -> Resource:
    found: Resource = {"value": random.choice(NUMBERS)}
    unit = random.choice(UNITS)
    shape = random.randrange(4)
    if shape != 1:
        found |= {"system": UCUM, "code": unit}
    if shape in (1, 2):
        found["unit"] = random.choice((unit, "milligrammes"))
    if random.random() < 0.05:
        del found["value"]
    return found


def _coding(random: Random) -> Resource:
    found: Resource = {"code": random.choice(CODES)}
    system = random.choice(SYSTEMS)
    if system:
        found["system"] = system
    if random.random() < 0.4:
        found["display"] = _word(random)
    return found


def _concept(random: Random) -> Resource:
    found: Resource = {}
    if random.random() < 0.85:
        found["coding"] = [_coding(random) for _ in range(random.randint(1, _MANY))]
    if random.random() < 0.4 or not found:
        found["text"] = _word(random)
    return found


def _identifier(random: Random) -> Resource:
    found: Resource = {}
    system = random.choice(SYSTEMS)
    if system:
        found["system"] = system
    if random.random() < 0.9:
        found["value"] = random.choice(("1", "2", "3"))
    if random.random() < 0.4:
        found["type"] = _concept(random)
    return found


def _period(random: Random) -> Resource:
    start, end = sorted((_date(random), _date(random)))
    shape = random.randrange(5)
    return {**({"start": start} if shape != 1 else {}), **({"end": end} if shape != 2 else {})}


def _date(random: Random) -> str:
    return random.choice(DATES)


def _moment(random: Random) -> str:
    return random.choice((*DATES, *INSTANTS))


def _range(random: Random) -> Resource:
    unit = {"system": UCUM, "code": random.choice(UNITS)}
    low, high = sorted((random.choice(NUMBERS), random.choice(NUMBERS)))
    shape = random.randrange(4)
    return {
        **({"low": {"value": low, **unit}} if shape != 1 else {}),
        **({"high": {"value": high, **unit}} if shape != 2 else {}),
    }


def _timing(random: Random) -> Resource:
    if random.random() < 0.5:
        return {"event": [_moment(random) for _ in range(random.randint(1, _MANY))]}
    return {"repeat": {"boundsPeriod": _period(random)}}


def _human_name(random: Random) -> Resource:
    found: Resource = {"family": _word(random)}
    if random.random() < 0.6:
        found["given"] = [_word(random) for _ in range(random.randint(1, _MANY))]
    if random.random() < 0.2:
        found["text"] = _word(random)
    return found


def _address(random: Random) -> Resource:
    found: Resource = {"city": _word(random), "postalCode": random.choice(("42000", "75005"))}
    if random.random() < 0.5:
        found["line"] = [_word(random)]
    if random.random() < 0.3:
        found |= {"country": "FR", "use": random.choice(("home", "work"))}
    return found


def _contact_point(random: Random) -> Resource:
    system = random.choice(("phone", "email"))
    return {"system": system, "value": random.choice(("0102030405", "a@e.fr"))}


def _money(random: Random) -> Resource:
    return {"value": random.choice(NUMBERS), "currency": random.choice(("EUR", "USD"))}


def _samples(random: Random) -> Resource:
    """Make a series of measures: its values are ``origin + factor × sample``."""
    return {
        "origin": {"value": 1, "system": UCUM, "code": random.choice(UNITS)},
        "period": 1,
        "dimensions": 1,
        **({"factor": 2} if random.random() < 0.5 else {}),
        "data": random.choice(("1 5 2 E", "2 L U 100")),
    }


def _position(random: Random) -> Resource:
    places = ((45.75, 4.85), (48.85, 2.35), (-17.5, -179.9), (-17.5, 179.9), (45.76, 4.86))
    latitude, longitude = random.choice(places)
    return {"latitude": latitude, "longitude": longitude}


_DATA: dict[str, Callable[[Random], Resource]] = {
    **{"Quantity": _quantity, "SimpleQuantity": _quantity, "Age": _quantity, "Count": _quantity},
    **{"Duration": _quantity, "Distance": _quantity, "Coding": _coding, "Period": _period},
    **{"CodeableConcept": _concept, "Identifier": _identifier, "Range": _range},
    **{"Timing": _timing, "HumanName": _human_name, "Address": _address, "Money": _money},
    **{"ContactPoint": _contact_point, "Location.position": _position},
    "SampledData": _samples,
}
_PRIMITIVES: dict[str, Callable[[Random], Any]] = {
    **{"boolean": lambda random: random.random() < 0.5, "string": _word, "markdown": _word},
    **{"date": _date, "dateTime": _moment, "instant": lambda random: random.choice(INSTANTS)},
    **{"decimal": lambda random: random.choice(NUMBERS)},
    **{"integer": lambda random: random.choice((0, 1, 2, 100))},
    **{"positiveInt": lambda random: random.choice((1, 2, 100))},
    **{"unsignedInt": lambda random: random.choice((0, 1, 2))},
    **{"uri": lambda random: random.choice(URIS), "url": lambda random: random.choice(URIS)},
    **{"canonical": lambda random: random.choice(URIS), "oid": lambda random: "urn:oid:1.2"},
    **{"code": lambda random: random.choice(CODES), "id": lambda random: random.choice(CODES)},
}
_SKIPPED = {"xhtml", "base64Binary", "Resource", "Extension", "Signature", "uuid", "time"}


class Maker:
    """Makes the resources of one world."""

    def __init__(self, random: Random, types: tuple[str, ...], *, fullness: float = 0.0) -> None:
        self.random = random
        self.types = types
        self.fullness = fullness

    def reference(self, targets: tuple[str, ...]) -> Resource:
        """Make a reference, to one of this world where one of its types is allowed."""
        random = self.random
        known = [type for type in self.types if not targets or type in targets]
        other = random.choice(targets or TYPES)
        type = random.choice(known) if known else other if other in resource_types() else "Patient"
        literal = f"{type}/{type.lower()}{random.randrange(SIZE + 1)}"
        draw = random.random()
        if draw < 0.7:
            return {"reference": literal}
        if draw < 0.76:
            return {"reference": f"{literal}/_history/2", "display": _word(random)}
        if draw < 0.82:
            return {"reference": _ELSEWHERE + literal}
        if draw < 0.96:
            return {"type": type, "identifier": _identifier(random)}
        return {"display": _word(random)}

    def value(self, element: Element, kind: Kind, depth: int) -> Any:
        """Make one value; None when this maker has none of the kind."""
        if kind.name in _SKIPPED:
            return None
        if kind.name == "Reference":
            return self.reference(kind.targets)
        if kind.name == "code" and element.value_set:
            return self.random.choice(sorted(codes(element.value_set))[:3])
        if kind.name in _PRIMITIVES:
            return _PRIMITIVES[kind.name](self.random)
        if kind.name in patterns():
            return None
        if kind.name in _DATA:
            return _DATA[kind.name](self.random)
        return self.filled(kind.name, depth + 1) if depth < _DEPTH_MAX else None

    def filled(self, type: str, depth: int) -> Resource | None:
        """Make the elements of a type, fewer the deeper they lie."""
        found: Resource = {}
        for element in elements(type):
            share = _SHARES[depth] + (0.3 if type in _FULLER else self.fullness)
            if element.name in _LEFT_OUT or self.random.random() > share:
                continue
            kind = self.random.choice(element.kinds)
            name = element.name + (kind.suffix if element.choice else "")
            size = self.random.randint(1, _MANY) if element.many else 1
            values = [self.value(element, kind, depth) for _ in range(size)]
            values = [value for value in values if value is not None]
            if values:
                found[name] = values if element.many else values[0]
        return found or None

    def resource(self, type: str, number: int) -> Resource:
        """Make one resource."""
        found: Resource = {"resourceType": type, "id": f"{type.lower()}{number}"}
        meta: Resource = {}
        if self.random.random() < 0.3:
            meta["profile"] = [self.random.choice(URIS)]
        if self.random.random() < 0.3:
            meta["tag"] = [_coding(self.random)]
        if self.random.random() < 0.2:
            meta["security"] = [_coding(self.random)]
        if self.random.random() < 0.2:
            meta["source"] = self.random.choice(URIS)
        if meta:
            found["meta"] = meta
        return found | (self.filled(type, 0) or {})


def _list(random: Random, resources: list[Resource]) -> Resource:
    """Make a List of some of the others."""
    chosen = random.sample(resources, min(3, len(resources)))
    entries = [{"item": {"reference": f"{r['resourceType']}/{r['id']}"}} for r in chosen]
    return {"resourceType": "List", "id": "list9", "status": "current", "entry": entries}


def world(random: Random, *, types: int = 5) -> list[Resource]:
    """Make the resources of one world, in the order in which they were kept."""
    chosen = random.sample(TYPES, types)
    chosen += [random.choice(("Patient", "Observation")), random.choice(RARE)]
    if random.random() < 0.4:
        chosen += [random.choice(sorted(resource_types()))]
    named = tuple(dict.fromkeys(chosen))
    maker = Maker(random, named)
    found = [maker.resource(type, n) for type in named for n in range(SIZE)]
    random.shuffle(found)
    found.append(_list(random, found))
    for resource in random.sample(found, 2):
        resource["deleted"] = True
    return found
