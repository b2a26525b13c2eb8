"""The settings: environment ``PASSERELLE_*``, or the TOML file that ``PASSERELLE_CONFIG`` names.

House section 8; https://docs.pydantic.dev/latest/concepts/pydantic_settings/ . The environment
goes before the file. All faults are told at once, by the name of the setting and never with its
value; secrets never print.
"""

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from passerelle.dossiers.async_policy import USUAL as USUAL_ASYNC
from passerelle.dossiers.effort import BATCH_SECONDS
from passerelle.dossiers.gateway import UPLOADS_KEPT_SECONDS
from passerelle.dossiers.pace import USUAL
from passerelle.dossiers.writing_policy import (
    DELETED_MAX,
    ConditionalDelete,
    DeleteReferenced,
    Profiles,
    References,
)
from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue

PREFIX = "PASSERELLE_"
CONFIG = PREFIX + "CONFIG"
CONFIG_BYTES_MAX = 1_000_000
SCHEMES = ("sqlite", "postgresql")

Wait = Annotated[float, Field(ge=0, le=604_800)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """What the operator decides. One field is one variable: ``bind`` is ``PASSERELLE_BIND``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    database_url: SecretStr = SecretStr("sqlite:///passerelle.db")  # may hold a password
    auto_migrate: bool = False
    bind: str = "127.0.0.1:8080"
    base_url: str = ""
    auth: Literal["open", "smart"] = "open"
    body_limit: Annotated[int, Field(ge=1_000, le=2_000_000_000)] = 50_000_000
    binary_limit: Annotated[int, Field(ge=1_000, le=2_000_000_000)] = 500_000_000
    batch_seconds: Annotated[float, Field(ge=0.1, le=3_600)] = BATCH_SECONDS
    answer_limit: Annotated[int, Field(ge=10_000, le=2_000_000_000)] = 50_000_000
    async_answer_limit: Annotated[int, Field(ge=10_000, le=20_000_000_000)] = (
        USUAL_ASYNC.answer_bytes
    )
    async_kept_seconds: Annotated[float, Field(ge=1, le=604_800)] = USUAL_ASYNC.kept_seconds
    async_unfinished: Annotated[int, Field(ge=0, le=1_000)] = USUAL_ASYNC.unfinished_max
    uploads_kept_seconds: Annotated[float, Field(ge=3_600, le=31_536_000)] = UPLOADS_KEPT_SECONDS
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    packages: Path | None = None
    references: References = "warn"
    profiles: Profiles = "enforce"
    delete_referenced: DeleteReferenced = "refuse"
    conditional_delete: ConditionalDelete = "single"
    deleted_max: Annotated[int, Field(ge=1, le=10_000)] = DELETED_MAX
    update_create: bool = True
    full_text: bool = True
    job_lease_seconds: Annotated[float, Field(ge=1, le=86_400)] = USUAL.lease_seconds
    job_retry_seconds: Annotated[tuple[Wait, ...], Field(max_length=50)] = USUAL.retry_seconds
    ins_allow_test: bool = False
    emitter_name: Annotated[str, Field(min_length=1, max_length=200)] = "Passerelle"
    emitter_finess: Annotated[str, Field(pattern=r"^[0-9][0-9AB][0-9]{7}$")] | None = None
    mss_address: str | None = None
    mss_display: str = ""
    mss_nil: str = ""
    mss_smtp_host: str | None = None
    mss_smtp_port: Port = 587
    mss_imap_host: str | None = None
    mss_imap_port: Port = 143
    mss_security: Literal["starttls", "tls"] = "starttls"
    mss_username: str = ""
    mss_password: SecretStr = SecretStr("")
    mss_client_certificate: Path | None = None
    mss_client_key: Path | None = None
    mss_ca_file: Path | None = None
    mss_crl_file: Path | None = None
    mss_white_list: Path | None = None
    mss_poll_seconds: Annotated[float, Field(gt=0, le=86_400)] = 10.0
    mss_size_max: Annotated[int, Field(ge=100_000, le=100_000_000)] = 10_000_000

    @property
    def host(self) -> str:
        """The address that is listened on, without its port."""
        return split_bind(self.bind)[0]

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return split_bind(self.bind)[1]

    @property
    def fhir_base_url(self) -> str:
        """The FHIR base as it is told to clients, without a slash at the end."""
        if self.base_url:
            return self.base_url.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/fhir"

    @property
    def on_sqlite(self) -> bool:
        """Whether the record is a SQLite file."""
        return self.database_url.get_secret_value().startswith("sqlite")

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_lower_case(cls, value: Any) -> Any:
        """Read ``INFO`` as ``info``, as other programs spell it."""
        return value.lower() if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what is handed in, then the environment, then the file."""
        file = InitSettingsSource(settings_cls, init_kwargs=_from_file(os.environ.get(CONFIG)))
        return init_settings, env_settings, file


class _Forgiving(Settings):
    """The settings without what is unknown, to find the other faults."""

    model_config = SettingsConfigDict(extra="ignore")


def load(**given: Any) -> Settings:
    """Give the settings of the environment and the file; ``given`` goes before both.

    Raises Invalid with every fault at once, each at the name of its variable.
    """
    faults: list[Issue] = []
    try:
        settings = Settings(**given)
    except ValidationError as error:
        faults = _faults(error)
        # What is malformed takes its default, so that the rest can be looked at all the same.
        faulty = {str(fault["loc"][0]) for fault in error.errors(include_input=False)}
        fields = Settings.model_fields
        defaults = {name: fields[name].default for name in faulty & set(fields)}
        settings = _Forgiving(**(given | defaults))
    faults += check(settings)
    if faults:
        raise Invalid(*faults)
    return settings


def check(settings: Settings) -> list[Issue]:
    """Give what is wrong with settings that are well-formed one by one."""
    return [*_address_faults(settings), *_file_faults(settings), *_mail_faults(settings)]


def split_bind(bind: str) -> tuple[str, int]:
    """Read ``host:port`` or ``[::1]:port``. Raises ValueError."""
    parts = urlsplit(f"//{bind}")
    if parts.hostname is None or parts.port is None or parts.path or parts.username is not None:
        raise ValueError("an address and a port are needed")
    return parts.hostname, parts.port


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address that is listened on."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address_faults(settings: Settings) -> list[Issue]:
    found: list[Issue] = []
    try:
        host, _ = split_bind(settings.bind)
    except ValueError:
        found.append(issue("settings.bind", PREFIX + "BIND"))
    else:
        if settings.auth == "open" and not is_loopback(host):
            found.append(issue("settings.open-not-loopback", PREFIX + "BIND"))
    if settings.auth == "smart":
        found.append(issue("settings.smart-not-there-yet", PREFIX + "AUTH"))
    if settings.base_url and not _is_base_url(settings.base_url):
        found.append(issue("settings.base-url", PREFIX + "BASE_URL"))
    scheme = settings.database_url.get_secret_value().partition(":")[0].partition("+")[0]
    if scheme not in SCHEMES:
        found.append(issue("settings.database-url", PREFIX + "DATABASE_URL"))
    return found


def _is_base_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "\\<>')
    return (
        plain
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and not (parts.query or parts.fragment or parts.username)
    )


def _file_faults(settings: Settings) -> list[Issue]:
    """Name the files and folders that are not there."""
    found = []
    if settings.packages is not None and not settings.packages.is_dir():
        found.append(issue("settings.folder-missing", PREFIX + "PACKAGES"))
    names = ("ca_file", "crl_file", "client_certificate", "client_key", "white_list")
    for name in names:
        path: Path | None = getattr(settings, f"mss_{name}")
        if path is not None and not path.is_file():
            found.append(issue("settings.file-missing", f"{PREFIX}MSS_{name.upper()}"))
    return found


def _mail_faults(settings: Settings) -> list[Issue]:
    """Name what secure mail lacks; it is there from the moment its address is set."""
    if settings.mss_address is None:
        return []
    needed = {
        "MSS_SMTP_HOST": settings.mss_smtp_host,
        "MSS_IMAP_HOST": settings.mss_imap_host,
        "MSS_CA_FILE": settings.mss_ca_file,
        "MSS_WHITE_LIST": settings.mss_white_list,
    }
    found = [
        issue("settings.mail-incomplete", PREFIX + name)
        for name, value in needed.items()
        if not value
    ]
    local, at, domain = settings.mss_address.rpartition("@")
    if not (local and at and "." in domain):
        found.append(issue("settings.mail-address", PREFIX + "MSS_ADDRESS"))
    return found


def _faults(error: ValidationError) -> list[Issue]:
    """Give the issues of what pydantic refuses, without the values."""
    found = []
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        name = PREFIX + "_".join(str(part) for part in fault["loc"][:1]).upper()
        rule = "settings.unknown" if fault["type"] == "extra_forbidden" else "settings.value"
        found.append(issue(rule, name, name=name))
    return found


def _from_file(path: str | None) -> dict[str, Any]:
    """Read the TOML file; a table's name goes before its keys: ``[mss] address`` is mss_address.

    Raises Invalid when the file cannot be read.
    """
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            text = file.read(CONFIG_BYTES_MAX).decode()
        return _flat(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise Invalid(issue("settings.config-unreadable", CONFIG)) from None


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}_")
        else:
            found[prefix + name] = value
    return found
