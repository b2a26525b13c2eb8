"""The wiring: from the settings to the gateway, and from the gateway to the web application.

House section 2. Nothing is decided here but what is joined to what; one process, one gateway.
"""

import asyncio
import gc
import os
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import structlog

from passerelle.api.door import Door
from passerelle.api.errors import frames
from passerelle.api.lifespan import Lifespan, LoadedLater
from passerelle.api.logs import configure
from passerelle.api.metrics import Metrics
from passerelle.api.rest.fhir_service import FhirService
from passerelle.api.security import OpenDoor
from passerelle.dossiers.async_policy import ANSWER_JOB, FORGET_JOB, AsyncPolicy
from passerelle.dossiers.gateway import Gateway, InsPolicy
from passerelle.dossiers.mailing.secure_mail import Emitter, SecureMail
from passerelle.dossiers.pace import Pace
from passerelle.dossiers.worker import Worker
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.errors.refusals import Unavailable
from passerelle.messaging.accounts import Account
from passerelle.messaging.white_list_file import WhiteListFile
from passerelle.settings import Settings, load
from passerelle.store.opening import open_store

VERSION = "0.1.0"
NOT_MIGRATED = "record.not-migrated"
GRACE_SECONDS = 10
"""As long a request in hand may take to end when the process is told to stop."""

IDLE_SECONDS = 75
"""As long a connection stays open with nothing asked: longer than proxies and clients keep one, or
a request that is sent just as it is closed is lost (https://www.rfc-editor.org/rfc/rfc9112#9.5)."""


class Works(Protocol):
    """What works beside the requests until it is told to stop."""

    async def run(self) -> None:
        """Work until stopped."""

    def stop(self) -> None:
        """End what is in hand, then return from ``run``."""


StopWorker = Callable[[], Awaitable[None]]
StartWorker = Callable[[Gateway], Awaitable[StopWorker]]
"""Starts the worker of a gateway beside the web application; gives what stops it."""

GC_THRESHOLD = 20_000
"""Objects between two collections: what a request makes is freed by counting references."""

log = structlog.get_logger("passerelle.app")


def clock() -> int:
    """Give the microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


class Chance:
    """Random bits from the system, drawn a page at a time.

    Asking the system lets other threads run: at every request that would give the processor away
    to the writer in the middle of an answer.
    """

    PAGE_BYTES = 4096
    STEP_BYTES = 10

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Draw a new page next time: a forked process must not give the same bits."""
        self._page = b""
        self._place = 0

    def bits(self) -> int:
        """Give 80 random bits that were never given before."""
        if self._place + self.STEP_BYTES > len(self._page):
            self._page = os.urandom(self.PAGE_BYTES)
            self._place = 0
        start = self._place
        self._place += self.STEP_BYTES
        return int.from_bytes(self._page[start : self._place])


_chance = Chance()
os.register_at_fork(after_in_child=_chance.forget)


def new_id() -> str:
    """Give a new id: a UUID of version 7, in the order of time for the sake of the indexes.

    https://www.rfc-editor.org/rfc/rfc9562#section-5.7
    """
    stamp = time.time_ns() // 1_000_000
    chance = _chance.bits() >> 6
    bits = (stamp << 80) | (0x7 << 76) | ((chance >> 62) << 64) | (0b10 << 62)
    digits = f"{bits | (chance & ((1 << 62) - 1)):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def make_gateway(settings: Settings) -> Gateway:
    """Make the gateway of the settings; its store is still to be opened."""
    return Gateway(
        store=open_store(
            settings.database_url.get_secret_value(), clock=clock, full_text=settings.full_text
        ),
        clock=clock,
        new_id=new_id,
        base_url=settings.fhir_base_url,
        ins=InsPolicy(allow_test=settings.ins_allow_test),
        mail=secure_mail(settings),
        pace=Pace(settings.job_lease_seconds, settings.job_retry_seconds),
        writing=WritingPolicy(
            references=settings.references,
            profiles=settings.profiles,
            delete_referenced=settings.delete_referenced,
            conditional_delete=settings.conditional_delete,
            deleted_max=settings.deleted_max,
            update_create=settings.update_create,
        ),
        asynchronous=AsyncPolicy(
            file_bytes=settings.answer_limit,
            answer_bytes=settings.async_answer_limit,
            kept_seconds=settings.async_kept_seconds,
            unfinished_max=settings.async_unfinished,
        ),
        uploads_kept_seconds=settings.uploads_kept_seconds,
    )


def secure_mail(settings: Settings) -> SecureMail | None:
    """Make the secure mail of the settings; None when no address is set."""
    if settings.mss_address is None or settings.mss_ca_file is None:
        return None
    assert settings.mss_white_list is not None  # demanded by the check of the settings
    account = Account(
        address=settings.mss_address,
        display=settings.mss_display,
        nil=settings.mss_nil,
        smtp_host=settings.mss_smtp_host or "",
        imap_host=settings.mss_imap_host or "",
        ca_file=settings.mss_ca_file,
        smtp_port=settings.mss_smtp_port,
        imap_port=settings.mss_imap_port,
        security=settings.mss_security,
        username=settings.mss_username,
        password=settings.mss_password.get_secret_value(),
        client_certificate=settings.mss_client_certificate,
        client_key=settings.mss_client_key,
        crl_file=settings.mss_crl_file,
        size_max_bytes=settings.mss_size_max,
    )
    return SecureMail(
        account=account,
        white_list=WhiteListFile(settings.mss_white_list),
        emitter=Emitter(settings.emitter_name, settings.emitter_finess, version=VERSION),
        poll_seconds=settings.mss_poll_seconds,
    )


async def open_record(gateway: Gateway, settings: Settings) -> None:
    """Open the store; a SQLite file is made when new, migrated when behind.

    PostgreSQL is migrated by ``passerelle migrate``, or here when ``auto_migrate`` is set. Raises
    Unavailable.
    """
    try:
        await gateway.store.open()
        return
    except Unavailable as refusal:
        behind = any(said.rule == NOT_MIGRATED for said in refusal.issues)
        if not behind or not (settings.on_sqlite or settings.auto_migrate):
            raise
    database_url = settings.database_url.get_secret_value()
    if not (settings.on_sqlite and _made_new(database_url)):
        await migrate_apart(database_url)
    await gateway.store.open()


def _made_new(database_url: str) -> bool:
    """Make the SQLite file when it is not there; tell whether it was not."""
    from passerelle.store.new_record import create

    return create(database_url)


async def migrate_apart(database_url: str) -> None:
    """Run the migrations in a process of their own: this one need not carry what runs them.

    The address, which may hold a password, goes by the standard input. Raises RuntimeError.
    """
    program = "import sys; from passerelle.store.migrate import migrate; migrate(sys.stdin.read())"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE
    )
    await process.communicate(database_url.encode())
    if process.returncode:
        raise RuntimeError("the migrations failed")


def server_options(settings: Settings) -> dict[str, Any]:
    """Give uvicorn's options for these settings (https://www.uvicorn.org/settings/).

    No access log: the door writes one line per request, without the address.
    """
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": "passerelle.api.bounded_http:BoundedHttp",
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "timeout_keep_alive": IDLE_SECONDS,
    }


def served() -> Door:
    """Make the application of the environment's settings, with its worker: what uvicorn loads."""
    settings = load()
    configure(settings.log_level)
    return web_application(settings, start_worker=start_worker)


def served_without_worker() -> Door:
    """Make the application of the environment's settings, without a worker."""
    settings = load()
    configure(settings.log_level)
    return web_application(settings)


async def read_packages(gateway: Gateway, folder: Path) -> None:
    """Add the packages of a folder; what became of each is told in the log."""
    from passerelle.dossiers.package_folder import add_folder

    async for each in add_folder(gateway, folder):
        rules = sorted({said.rule for said in each.issues})
        if each.added is None:
            log.warning("package.refused", file=each.file, rules=rules)
        elif each.added.is_new:
            log.info("package.added", package=str(each.added.key), rules=rules)


async def start_packages(gateway: Gateway, folder: Path) -> StopWorker:
    """Add the packages of a folder beside the requests; give what stops it."""
    task = asyncio.create_task(read_packages(gateway, folder))
    task.add_done_callback(_tell_a_fault)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return stop


async def start_worker(gateway: Gateway) -> StopWorker:
    """Start the worker of a gateway in this process, and the reader of its mailbox.

    What it needs is loaded in a thread: requests are answered meanwhile.
    """
    workers: list[Works] = []

    async def work() -> None:
        workers.extend(await asyncio.to_thread(make_workers, gateway))
        await asyncio.gather(*(worker.run() for worker in workers))

    task = asyncio.create_task(work())
    task.add_done_callback(_tell_a_fault)

    async def stop() -> None:
        for worker in workers:
            worker.stop()
        if not workers:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return stop


def _tell_a_fault(task: asyncio.Task[None]) -> None:
    """Tell of what ended without being told to: its work waits until the next start."""
    fault = None if task.cancelled() else task.exception()
    if fault is not None:
        log.error("worker.ended", fault=type(fault).__name__, frames=frames(fault))


def make_workers(gateway: Gateway) -> tuple[Works, ...]:
    """Make what works beside the requests: the workers, the full text's, the sweeper, the mail's.

    A worker's holder is a name of its own among all workers. What is asked for later has a worker
    to itself, so that no sending waits for a long search.
    """
    from passerelle.dossiers import parameter_indexing
    from passerelle.dossiers.full_text_following import FullTextFollower
    from passerelle.dossiers.mailing import transmission
    from passerelle.dossiers.mailing.mail_reception import MailReader
    from passerelle.dossiers.mailing.transmission_sending import send_job
    from passerelle.dossiers.sweeping import Sweeper

    handlers = {
        transmission.JOB_KIND: send_job,
        parameter_indexing.JOB_KIND: parameter_indexing.index_some,
    }
    worker = Worker(gateway, handlers, holder=f"{os.getpid()}-{secrets.token_hex(4)}")
    beside = (FullTextFollower(gateway), Sweeper(gateway))
    made: tuple[Works, ...] = (worker, answering_worker(gateway), *beside)
    return made if gateway.mail is None else (*made, MailReader(gateway, gateway.mail))


def answering_worker(gateway: Gateway) -> Worker:
    """Make the worker that answers the requests with ``Prefer: respond-async``."""
    from passerelle.api.rest.async_answers import AsyncAnswers, forget

    limit = gateway.asynchronous.file_bytes
    service = FhirService(
        gateway,
        body_limit=limit,
        binary_limit=limit,
        answer_limit=limit,
        software_version=VERSION,
    )
    handlers = {ANSWER_JOB: AsyncAnswers(service.answer_inner).answer, FORGET_JOB: forget}
    paced = replace(gateway, pace=gateway.asynchronous.pace(gateway.pace))
    return Worker(paced, handlers, holder=f"{os.getpid()}-{secrets.token_hex(4)}")


def web_application(settings: Settings, *, start_worker: StartWorker | None = None) -> Door:
    """Make the ASGI application of the settings, with its worker beside it when one is given."""
    return application_of(make_gateway(settings), settings, start_worker=start_worker)


def application_of(
    gateway: Gateway, settings: Settings, *, start_worker: StartWorker | None = None
) -> Door:
    """Make the ASGI application of a gateway: opened at startup, closed at shutdown."""
    metrics = Metrics()
    stop_worker: list[StopWorker] = []

    async def start() -> None:
        await open_record(gateway, settings)
        if start_worker is not None:
            stop_worker.append(await start_worker(gateway))
        if settings.packages is not None:
            stop_worker.append(await start_packages(gateway, settings.packages))
        # What was loaded stays: it need not be looked through again and again.
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD, 20, 50)
        gc.enable()
        log.info("started", version=VERSION)

    async def stop() -> None:
        for stop_it in stop_worker:
            await stop_it()
        await gateway.store.close()
        log.info("stopped")

    def rest() -> object:
        from passerelle.api.application import build

        return build(gateway, metrics, body_limit=settings.body_limit, software_version=VERSION)

    return Door(
        FhirService(
            gateway,
            body_limit=settings.body_limit,
            binary_limit=settings.binary_limit,
            answer_limit=settings.answer_limit,
            batch_seconds=settings.batch_seconds,
            software_version=VERSION,
            answers_later=start_worker is not None,
        ),
        LoadedLater(rest),
        security=OpenDoor(settings.fhir_base_url),
        metrics=metrics,
        lifespan=Lifespan(start, stop),
    )
