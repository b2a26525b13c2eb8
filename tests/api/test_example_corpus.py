"""Every example of R4 and of the packages, through the door of each database, in JSON and in XML.

Each is kept, read back equal, kept again from XML as the same, read back equal as XML, and found by
a search for each of its values that a parameter leads to. What is refused stands below with its
fault: https://hl7.org/fhir/R4/validation.html .
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from passerelle import app as wiring
from passerelle.dossiers.gateway import Gateway, InsPolicy
from passerelle.fhir import json_text
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.search.search_parameters import parameters
from passerelle.fhir.xml import reader, writer
from passerelle.settings import Settings
from passerelle.store.opening import open_store
from tests.api.refused_examples import REFUSED
from tests.fhir.test_parameter_corpus import examples
from tests.oracle.asked_of import Resource, asked
from tests.oracle.nodes import Nodes

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}
XML = {"content-type": "application/fhir+xml", "accept": "application/fhir+xml"}
STRICT = {**JSON, "prefer": "handling=strict"}
OF_THE_ROW = ("_id", "_lastUpdated")
TOLD_MAX = 3
_OF_THE_SERVER = ("versionId", "lastUpdated")
SAMPLE_EACH = 40
BYTES_MAX = 20_000
"""Of `make test`; the nightly run takes all."""

NOT_EXAMPLES = ("validation-oo",)
"""What the publisher of a guide says of it, with outcomes that have no issue."""


@pytest.fixture
async def door(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The application on a record of its own, with the bounds that it is served with."""
    gateway = Gateway(
        store=open_store(database_url, clock=wiring.clock),
        clock=wiring.clock,
        new_id=wiring.new_id,
        base_url="http://127.0.0.1:8080/fhir",
        ins=InsPolicy(allow_test=True),
    )
    await gateway.store.open()
    transport = httpx.ASGITransport(wiring.application_of(gateway, Settings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client
    await gateway.store.close()


def spelled(content: bytes) -> Any:
    """Read JSON with its numbers as they are written."""
    return json.loads(content, parse_float=str, parse_int=str)


def numbered(shared: Path, each: int, limit: int) -> Iterator[tuple[str, bytes]]:
    """Give name and content of the examples, one in so many, under ids of their own."""
    for number, (name, content) in enumerate(examples(shared, limit)):
        archive, _, path = name.partition(":")
        file = path.rpartition("/")[2].removesuffix(".json")
        place = f"{archive.removesuffix('.tgz')}/{file}"
        if number % each or place.endswith(NOT_EXAMPLES):
            continue
        # Packages hold other files too.
        if json.loads(content).get("resourceType") in resource_types():
            resource = json_text.decode(content)
            yield place, json_text.encode({**resource, "id": f"r{number}"})


def as_sent(resource: Any) -> Any:
    """Leave out of a resource what the server says of it."""
    meta = {n: v for n, v in resource.get("meta", {}).items() if n not in _OF_THE_SERVER}
    rest = {name: value for name, value in resource.items() if name != "meta"}
    return {**rest, "meta": meta} if meta else rest


def faults(answer: httpx.Response) -> list[str]:
    """Give rule and place of each issue of a refusal, of many the first."""
    told = answer.json()["issue"]
    errors = [one for one in told if one["severity"] in ("error", "fatal")]
    found = [
        " ".join([one["details"]["coding"][0]["code"], *one.get("expression", [])])
        for one in errors
    ]
    if len(found) <= TOLD_MAX:
        return found
    first, rest = found[: TOLD_MAX - 1], found[TOLD_MAX - 1 :]
    return [*first, f"and {len(rest)} more: {', '.join(sorted({f.split()[0] for f in rest}))}"]


class Corpus:
    """What became of the examples: counts, what was refused, what went wrong."""

    def __init__(self, door: httpx.AsyncClient) -> None:
        self.door = door
        self.counted: Counter[str] = Counter()
        self.refused: dict[str, list[str]] = {}
        self.wrong: list[str] = []

    async def take(self, place: str, content: bytes) -> None:
        """Keep an example, read it back and look for it."""
        resource = json.loads(content)
        address = f"/fhir/{resource['resourceType']}/{resource['id']}"
        kept = await self.door.put(address, content=content, headers=JSON)
        if kept.status_code != 201:
            self.refused[place] = faults(kept)
            self.counted["refused"] += 1
            return
        self.counted["kept"] += 1
        for fault in (
            await self.read_back(address, content),
            await self.kept_again_from_xml(address, content),
            *[line async for line in self.lost(resource)],
        ):
            if fault:
                self.wrong.append(f"{place}: {fault}")

    async def read_back(self, address: str, content: bytes) -> str | None:
        """Say what differs when it is read, in either form."""
        sent = as_sent(spelled(content))
        read = await self.door.get(address, headers=JSON)
        if as_sent(spelled(read.content)) != sent:
            return "read back as something else"
        in_xml = await self.door.get(address, headers=XML)
        written = json_text.encode(reader.decode(in_xml.content))
        return None if as_sent(spelled(written)) == sent else "read back in XML as something else"

    async def kept_again_from_xml(self, address: str, content: bytes) -> str | None:
        """Say whether the same in XML is taken for something else.

        It makes no version, but where the JSON had its members in another order than R4 has.
        """
        body = writer.encode(json_text.decode(content))
        answer = await self.door.put(address, content=body, headers=XML)
        if answer.status_code != 200:
            return f"in XML {answer.status_code}"
        self.counted[f"in XML version {answer.headers['etag'][3:-1]}"] += 1
        read = await self.door.get(address, headers=JSON)
        same = as_sent(spelled(read.content)) == as_sent(spelled(content))
        return None if same else "kept from XML as something else"

    async def lost(self, resource: Resource) -> AsyncIterator[str]:
        """Give the searches that should find it, and do not."""
        type, known = resource["resourceType"], Nodes()
        for code, parameter in parameters(type).items():
            text = None if code in OF_THE_ROW else asked(known, parameter, resource)
            if text is None:
                continue
            self.counted[f"searches by {parameter.kind}"] += 1
            query = {"_id": resource["id"], code: text, "_elements": "id"}
            answer = await self.door.get(f"/fhir/{type}", params=query, headers=STRICT)
            found = [e["resource"]["id"] for e in answer.json().get("entry", [])]
            if answer.status_code != 200 or found != [resource["id"]]:
                yield f"{answer.status_code} {code}={text[:120]}"


async def run(door: httpx.AsyncClient, shared: Path, each: int, limit: int) -> Corpus:
    corpus = Corpus(door)
    for place, content in numbered(shared, each, limit):
        await corpus.take(place, content)
    return corpus


async def test_an_example_goes_through_the_door_and_is_found(
    door: httpx.AsyncClient, shared: Path
) -> None:
    corpus = await run(door, shared, SAMPLE_EACH, BYTES_MAX)
    assert not corpus.wrong, "\n".join(corpus.wrong[:20])
    assert corpus.refused == {place: REFUSED.get(place) for place in corpus.refused}
    assert corpus.counted["kept"] > 15


@pytest.mark.nightly
async def test_every_example_goes_through_the_door_and_is_found(
    door: httpx.AsyncClient, shared: Path
) -> None:
    corpus = await run(door, shared, 1, 1 << 30)
    print(f"\n{dict(sorted(corpus.counted.items()))}")
    for place, found in sorted(corpus.refused.items()):
        print(f"refused: {place}: {'; '.join(found)}")
    assert not corpus.wrong, f"{len(corpus.wrong)}\n" + "\n".join(corpus.wrong[:60])
    assert corpus.refused == REFUSED
    assert corpus.counted["kept"] > 1_000
