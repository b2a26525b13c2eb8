"""A document goes out by secure mail: asked for here, sent by the worker (house section 4).

The policy is checked, then one Communication whose Message-ID is fixed and one job per recipient
are written in one transaction. The operation is answered 202 with their references.
"""

import hashlib
from dataclasses import dataclass

from passerelle.dossiers import keeping
from passerelle.dossiers.conditions import expect
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing.secure_mail import SecureMail
from passerelle.dossiers.mailing.transmission_matricule import matricule_that_may_leave
from passerelle.dossiers.mailing.transmission_order import Order
from passerelle.dossiers.mailing.transmission_order import dump as dump_order
from passerelle.dossiers.mailing.transmission_policy import Asked, refusals
from passerelle.dossiers.mailing.transmission_record import state_kept
from passerelle.dossiers.mailing.transmission_states import advance
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.retrying import settle
from passerelle.errors.refusals import (
    Gone,
    Invalid,
    Issue,
    NotFound,
    NotSupported,
    Unprocessable,
)
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.conformance import structure
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search.query import parse_criteria
from passerelle.fhir.urls import (
    ADDRESS_SYSTEM,
    DOSSIER_TAG,
    MESSAGE_ID_SYSTEM,
    SENDING_SYSTEM,
)
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Expectation, Put, Unit
from passerelle.store.outbox import NewJob

RECIPIENTS_MAX = 50
JOB_KIND = "mss.send"


@dataclass(frozen=True, slots=True)
class Request:
    """The operation's parameters: addresses with the place they stand at, and ``resend``."""

    recipients: tuple[tuple[str, str], ...]
    resend: bool = False


@dataclass(frozen=True, slots=True)
class _Document:
    """The document that is asked for, as it is now."""

    key: Key
    version: int
    resource: Resource
    patient_key: Key | None


async def request(gateway: Gateway, caller: Caller, key: Key, parameters: Resource) -> Resource:
    """Ask for a document to be sent; give the Parameters that name the Communications made.

    ``parameters`` is a Parameters resource: ``recipient`` (valueString, 1..*), ``resend``
    (valueBoolean). Raises NotFound, Invalid, Unprocessable with every refusal of the policy at
    its recipient's place, NotSupported when no account is configured.
    """
    mail = configured(gateway)
    structure.demand(parameters)
    if key.type != "DocumentReference":
        raise NotSupported(issue("sending.not-a-document", key.type))
    asked = read_parameters(parameters)
    repository = Repository(gateway, caller)

    async def attempt() -> list[Key]:
        document = await _document(repository, key)
        await _demand(repository, mail, document, asked)
        return await _write(repository, mail, document, asked)

    keys = await settle(attempt)
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "communication", "valueReference": {"reference": str(made)}} for made in keys
        ],
    }


def configured(gateway: Gateway) -> SecureMail:
    """Give the secure mail of the gateway. Raises NotSupported when there is none."""
    if gateway.mail is None:
        raise NotSupported(issue("sending.not-configured"))
    return gateway.mail


def read_parameters(parameters: Resource) -> Request:
    """Read the operation's Parameters. Raises Invalid with every fault."""
    recipients: list[tuple[str, str]] = []
    faults: list[Issue] = []
    resend = False
    for index, parameter in enumerate(parameters.get("parameter", ())):
        place = f"Parameters.parameter[{index}]"
        name = parameter.get("name")
        if name == "recipient" and isinstance(parameter.get("valueString"), str):
            recipients.append((parameter["valueString"].strip(), place))
        elif name == "resend" and isinstance(parameter.get("valueBoolean"), bool):
            resend = parameter["valueBoolean"]
        else:
            faults.append(issue("sending.unknown-parameter", place))
    if not recipients:
        faults.append(issue("sending.no-recipient", "Parameters.parameter"))
    if len(recipients) > RECIPIENTS_MAX:
        rule = "sending.too-many-recipients"
        faults.append(issue(rule, "Parameters.parameter", limit=RECIPIENTS_MAX))
    if faults:
        raise Invalid(*faults)
    once = {address.lower(): (address, place) for address, place in reversed(recipients)}
    return Request(tuple(reversed(once.values())), resend)


async def _document(repository: Repository, key: Key) -> _Document:
    version = await repository.read(key)
    resource = json_text.decode(version.body or b"")
    reference = str(resource.get("subject", {}).get("reference", ""))
    type_, _, id_ = reference.partition("/")
    patient_key = Key(type_, id_) if type_ == "Patient" and id_ else None
    return _Document(key, version.version, resource, patient_key)


async def demand_still(gateway: Gateway, mail: SecureMail, order: Order) -> str | None:
    """See, when the time has come, that the policy still lets a document go to its recipient.

    Gives the matricule that may leave now, if any. Raises NotFound, Gone (the document),
    Unprocessable with every refusal.
    """
    document = await _document(Repository(gateway, SYSTEM), order.document)
    asked = Request(((order.recipient, "Communication.recipient[0]"),))
    return await _demand(Repository(gateway, SYSTEM), mail, document, asked)


async def _demand(
    repository: Repository, mail: SecureMail, document: _Document, asked: Request
) -> str | None:
    """Give the matricule that may leave with the document. Raises Unprocessable."""
    patient: Resource | None = None
    matricule: str | None = None
    if document.patient_key is not None:
        try:
            found = await repository.read(document.patient_key)
        except (NotFound, Gone):
            found = None
        if found is not None:
            patient = json_text.decode(found.body or b"")
            allow_test = repository.gateway.ins.allow_test
            matricule = matricule_that_may_leave(patient, allow_test=allow_test)
    white_list = mail.white_list()
    faults: list[Issue] = []
    for address, place in asked.recipients:
        question = Asked(document.resource, patient, matricule, address, place)
        said = refusals(question, white_list, size_max_bytes=mail.account.size_max_bytes)
        faults += [fault for fault in said if fault not in faults]
    if faults:
        raise Unprocessable(*faults)
    return matricule


async def _write(
    repository: Repository, mail: SecureMail, document: _Document, asked: Request
) -> list[Key]:
    """Write the Communications and jobs that are not there yet; give all in the order asked."""
    gateway = repository.gateway
    now = gateway.clock()
    keys: list[Key] = []
    writes: list[Put] = []
    jobs: list[NewJob] = []
    expectations: list[Expectation] = []
    for address, _ in asked.recipients:
        sending = _sending(document, address, gateway.new_id() if asked.resend else "")
        query = parse_criteria("Communication", f"identifier={SENDING_SYSTEM}|{sending}")
        ids = await gateway.store.matching(query, repository.caller, limit=100)
        expectations.append(expect(query, ids))
        living = await _living(gateway, ids)
        if living is not None:
            keys.append(living)
            continue
        key = Key("Communication", gateway.new_id())
        keys.append(key)
        domain = mail.account.address.rpartition("@")[2]
        order = Order(document.key, document.version, address, f"<{key.id}@{domain}>", now)
        communication = _communication(key, document, order, sending)
        communication = advance(communication, "queued", at=now)
        keeping.demand(communication, gateway.ins)
        draft = keeping.draft(key, communication, registry=gateway.store.parameters.registry)
        writes.append(Put(draft, "POST", must_be_new=True))
        jobs.append(NewJob(JOB_KIND, str(key), dump_order(order), now))
    unit = Unit(writes=tuple(writes), expectations=tuple(expectations), jobs=tuple(jobs))
    await gateway.store.commit(unit, repository.caller)
    return keys


async def _living(gateway: Gateway, ids: tuple[str, ...]) -> Key | None:
    """Give the sending among these that has neither failed nor been withdrawn.

    Its job and its message tell, not its Communication, which anybody may have written.
    """
    for id_ in ids:
        key = Key("Communication", id_)
        jobs = await gateway.store.jobs(str(key))
        if not jobs or any(job["state"] == "dead" for job in jobs):
            continue
        if await state_kept(gateway.store, key) not in ("failed", "cancelled"):
            return key
    return None


def _sending(document: _Document, address: str, salt: str) -> str:
    text = f"{document.key}/{document.version}|{address.lower()}|{salt}"
    return hashlib.sha256(text.encode()).hexdigest()


def _communication(key: Key, document: _Document, order: Order, sending: str) -> Resource:
    """Make the Communication that records one sending (https://hl7.org/fhir/R4/communication.html).

    Base R4: no French profile of Communication was found.
    """
    tags = [
        tag
        for tag in document.resource.get("meta", {}).get("tag", ())
        if tag.get("system") == DOSSIER_TAG
    ]
    medium = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
    communication: Resource = {"resourceType": "Communication", "id": key.id}
    if tags:
        communication["meta"] = {"tag": tags}
    communication |= {
        "identifier": [
            {"system": MESSAGE_ID_SYSTEM, "value": order.message_id},
            {"system": SENDING_SYSTEM, "value": sending},
        ],
        "status": "preparation",
        "medium": [{"coding": [{"system": medium, "code": "EMAILWRIT"}]}],
        "subject": {"reference": str(document.patient_key)},
        "about": [{"reference": str(document.key)}],
        "recipient": [{"identifier": {"system": ADDRESS_SYSTEM, "value": order.recipient}}],
        "payload": [
            {
                "contentReference": {
                    "reference": f"{document.key}/_history/{document.version}",
                }
            }
        ],
    }
    return communication
