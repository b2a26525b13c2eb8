"""The scenario of the demonstration: the main job, step by step, over HTTP like any client.

Each step says what it expects; the scenario succeeds only when every step did what it should.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

import httpx

from passerelle.demo import samples
from passerelle.demo.letter import ELEONORE, sample_letter
from passerelle.simulation.operator import Operator

WAIT_SECONDS = 15.0
POLL_SECONDS = 0.05
STATE = "https://passerelle.example/fhir/StructureDefinition/mss-state"
EVENT = "https://passerelle.example/fhir/StructureDefinition/mss-event"

Say = Callable[[str], None]


WIDTH = 98
"""Signs of an address that a line of the terminal has room for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was done, what came of it in a few words, whether it is what it should be."""

    what: str
    came: str
    as_it_should: bool


@dataclass(slots=True)
class Scenario:
    """The run: client of the gateway, operator, how to speak to the person, steps so far."""

    client: httpx.AsyncClient
    operator: Operator
    say: Say
    steps: list[Step] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    async def play(self) -> bool:
        """Play all steps; give whether each did what it should."""
        letter = await asyncio.to_thread(sample_letter)
        other_letter = await asyncio.to_thread(sample_letter, ELEONORE)
        self.say("\n[bold]1. Trois dossiers arrivent[/bold]")
        qualified = await self._push(samples.followed(letter), samples.QUALIFIED)
        provisional = await self._push(samples.provisional(other_letter), samples.PROVISIONAL)
        await self._push_refused()
        self.say("\n[bold]2. Ils sont devenus des ressources FHIR[/bold]")
        await self._show(qualified)
        await self._show_the_line(_reference(qualified, "Patient"))
        await self._come_back(samples.followed(letter), samples.QUALIFIED)
        self.say("\n[bold]3. La lettre de liaison part par MSSanté[/bold]")
        document = _reference(qualified, "DocumentReference")
        await self._send(document, ins="O")
        self.say("\n[bold]4. Avec une identité provisoire : sans matricule[/bold]")
        await self._send(_reference(provisional, "DocumentReference"), ins="N")
        self.say("\n[bold]5. Vers une adresse hors liste blanche : refusé[/bold]")
        await self._send_refused(document)
        return all(step.as_it_should for step in self.steps)

    async def _push(self, dossier: dict[str, Any], id_: str) -> dict[str, Any]:
        answer = await self.client.put(f"/dossiers/{quote(id_, safe='')}", json=dossier)
        receipt: dict[str, Any] = answer.json()
        entries = receipt.get("entries", [])
        made = sum(1 for entry in entries if entry["action"] == "created")
        identity = receipt.get("identity", {}).get("status", "")
        self._record(
            f"dossier {id_.rpartition('|')[2]}",
            f"{answer.status_code}, identité {_STATUS_FR[identity]}",
            answer.status_code == 201 and made == len(entries) > 0,
            f"{made} entrées créées",
        )
        return receipt

    async def _push_refused(self) -> None:
        id_ = samples.REFUSED
        answer = await self.client.put(f"/dossiers/{quote(id_, safe='')}", json=samples.refused())
        issues = [one for one in answer.json().get("issue", []) if one["severity"] == "error"]
        self._record(
            f"dossier {id_.rpartition('|')[2]}",
            f"{answer.status_code}, refusé pour {len(issues)} raisons",
            answer.status_code == 422 and len(issues) > 1,
        )
        for issue in issues:
            place = (issue.get("expression") or [""])[0]
            self.say(f"     [dim]{place}[/dim]  {issue['details']['text']}")
        gone = await self.client.get(f"/dossiers/{quote(id_, safe='')}")
        self._record("rien n'en a été écrit", f"{gone.status_code}", gone.status_code == 404)

    async def _show(self, receipt: dict[str, Any]) -> None:
        team = ""
        for type_ in (
            "Patient",
            "EpisodeOfCare",
            "CareTeam",
            "DocumentReference",
            "Encounter",
            "QuestionnaireResponse",
            "Appointment",
            "Task",
            "Flag",
        ):
            reference = _reference(receipt, type_) if type_ != "CareTeam" else team
            answer = await self.client.get(f"/fhir/{reference}")
            resource = answer.json()
            if type_ == "EpisodeOfCare":
                team = resource["team"][0]["reference"]
            profile = (resource.get("meta", {}).get("profile") or ["R4"])[0].rpartition("/")[2]
            address = f"{self.client.base_url}fhir/{reference}"
            laid_out = address + "?_pretty=true"
            self.addresses.append(laid_out if len(laid_out) < WIDTH else address)
            good = answer.status_code == 200 and resource["resourceType"] == type_
            self._record(type_, f"{answer.status_code}", good, profile)

    async def _show_the_line(self, person: str) -> None:
        answer = await self.client.get(f"/fhir/{person}/$ligne-de-vie")
        self.addresses.append(f"{self.client.base_url}fhir/{person}/$ligne-de-vie")
        stops = answer.json().get("entry", [])
        kinds = {stop["resource"]["resourceType"] for stop in stops}
        good = answer.status_code == 200 and {"Encounter", "DocumentReference", "Flag"} <= kinds
        self._record("ligne de vie", f"{len(stops)} étapes, dans l'ordre des dates", good)

    async def _come_back(self, pushed: dict[str, Any], id_: str) -> None:
        answer = await self.client.get(f"/dossiers/{quote(id_, safe='')}")
        again = await self.client.put(f"/dossiers/{quote(id_, safe='')}", json=pushed)
        entries = again.json().get("entries", [])
        unchanged = bool(entries) and all(entry["action"] == "unchanged" for entry in entries)
        self._record("relu dans sa forme d'origine", "identique à l'envoi", answer.json() == pushed)
        self._record("poussé une seconde fois", "aucune nouvelle version", unchanged)

    async def _send(self, document: str, *, ins: str) -> None:
        answer = await self._ask(document, samples.DOCTOR)
        code = answer.status_code
        self._record(f"envoi à {samples.DOCTOR}", _ASKED.get(code, f"{code}"), code == 202)
        if answer.status_code != 202:
            return
        reference = answer.json()["parameter"][0]["valueReference"]["reference"]
        self.addresses.append(f"{self.client.base_url}fhir/{reference}?_pretty=true")
        seen = await self._follow(reference)
        wanted = ("queued", "sent", "delivered", "read")
        self._record(
            "suivi de l'envoi",
            " → ".join(_STATE_FR[state] for state in seen if state in wanted),
            all(state in seen for state in wanted),
        )
        mail = self._received(reference)
        if mail is None:
            self._record("reçu par le médecin", "rien", False)
            return
        names = [str(part.get_filename()) for part in mail.iter_attachments()]
        copies = sum(1 for name in names if name.endswith(".pdf"))
        self._record(
            "reçu par le médecin",
            f"archive IHE_XDM et {copies} copie PDF",
            "IHE_XDM.ZIP" in names and copies == 1,
        )
        meaning = "INS qualifiée transmise" if ins == "O" else "parti sans matricule"
        self._record(f"en-tête X-MSS-INS : {ins}", meaning, mail["X-MSS-INS"] == ins)

    def _received(self, reference: str) -> EmailMessage | None:
        """Give the mail of a sending in the doctor's mailbox, as her software would read it."""
        for message in reversed(self.operator.mailbox(samples.DOCTOR).messages.values()):
            mail = message_from_bytes(message.raw, policy=policy.default)
            if reference.partition("/")[2] in str(mail["Message-ID"]):
                return mail
        return None

    async def _ask(self, document: str, recipient: str) -> httpx.Response:
        parameters = {
            "resourceType": "Parameters",
            "parameter": [{"name": "recipient", "valueString": recipient}],
        }
        return await self.client.post(f"/fhir/{document}/$send-mss", json=parameters)

    async def _follow(self, reference: str) -> list[str]:
        """Watch a Communication until it is read (or failed), saying each new state."""
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        until = loop.time() + WAIT_SECONDS
        while loop.time() < until:
            communication = (await self.client.get(f"/fhir/{reference}")).json()
            for state in _events(communication):
                if state not in seen:
                    seen.append(state)
                    self.say(f"     … {_STATE_FR[state]}")
            if {"read", "failed"} & set(seen):
                break
            await asyncio.sleep(POLL_SECONDS)
        return seen

    async def _send_refused(self, document: str) -> None:
        answer = await self._ask(document, samples.OUTSIDE)
        issues = answer.json().get("issue", [])
        rules = [issue["details"]["coding"][0]["code"] for issue in issues]
        self._record(
            f"envoi à {samples.OUTSIDE}",
            f"{answer.status_code}, hors liste blanche",
            answer.status_code == 422 and rules == ["mss.recipient-not-listed"],
        )

    def _record(self, what: str, came: str, as_it_should: bool, more: str = "") -> None:
        """Keep a step and say it; ``more`` is said only."""
        self.steps.append(Step(what, came, as_it_should))
        mark = "[green]✓[/green]" if as_it_should else "[red]✗[/red]"
        self.say(f"  {mark} {what} [dim]—[/dim] {', '.join(filter(None, (came, more)))}")


_ASKED = {202: "accepté (202)", 422: "refusé (422)"}
_STATE_FR = {
    "queued": "en file",
    "sending": "en cours d'envoi",
    "uncertain": "incertain",
    "sent": "envoyé",
    "relayed": "relayé",
    "delivered": "remis",
    "read": "lu",
    "failed": "en échec",
    "cancelled": "annulé",
}
_STATUS_FR = {
    "": "inconnue",
    "provisional": "provisoire",
    "retrieved": "récupérée",
    "validated": "validée",
    "qualified": "qualifiée",
}


def _events(communication: dict[str, Any]) -> list[str]:
    return [
        part["valueCode"]
        for extension in communication.get("extension", ())
        if extension["url"] == EVENT
        for part in extension["extension"]
        if part["url"] == "state"
    ]


def _reference(receipt: dict[str, Any], type_: str) -> str:
    for entry in receipt.get("entries", ()):
        if str(entry.get("reference", "")).startswith(f"{type_}/"):
            return str(entry["reference"])
    return f"{type_}/absent"
