"""The page of settings: every field of ``Settings``, its variable, type, default and meaning."""

import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from passerelle.settings import CONFIG, PREFIX, Settings
from tools.reference_markdown import code, page, table

MEANINGS = {
    "database_url": "The record: `sqlite:///path` or `postgresql://…`. Without it, the SQLite file "
    "`passerelle.db` of the working directory. It may hold a password, so it is never printed.",
    "auto_migrate": "Migrate PostgreSQL when `passerelle serve` starts. A SQLite file that is new "
    "or behind is always migrated.",
    "bind": "The address and port that are listened on.",
    "base_url": "The FHIR base as clients see it, behind a proxy. Without it, `http://` + the "
    "address that is listened on + `/fhir`.",
    "auth": "`open`: whoever reaches the gateway is the system; refused on anything but a loopback "
    "address. `smart`: not there yet; refused at the start.",
    "body_limit": "The largest body of a request, in bytes.",
    "binary_limit": "The largest document, in bytes, that is streamed in as a Binary.",
    "answer_limit": "As many bytes as all resources of the answer to one batch or transaction may "
    "have: the entries after that are answered 413, and what they write is left out of it.",
    "batch_seconds": "As many seconds as the entries of one batch, and the questions of one "
    "transaction, may take together: computing, and searching the record. The rest is refused, "
    "entry by entry, with 429 and `bundle.too-costly`; what was written by then stays written.",
    "async_answer_limit": "As many bytes as the answer to a request with `Prefer: respond-async` "
    "may have, in files of at most `PASSERELLE_ANSWER_LIMIT`: it ends there and says so.",
    "uploads_kept_seconds": "How long bytes of a document that nothing names are kept.",
    "async_kept_seconds": "How long such an answer can be fetched.",
    "async_unfinished": "As many such requests of one caller may wait at once; four times as many "
    "are kept. 0 answers all of them in place, as a process without a worker does.",
    "log_level": "What is logged, from this level up. Capitals are read too.",
    "packages": "A folder whose FHIR packages (`.tgz`) are installed at the start. It must exist.",
    "profiles": "A document, set or folder that declares a PDSm profile and does not meet it: "
    "`enforce` refuses it (422), `warn` keeps it and says so.",
    "references": "Local references to nothing: `enforce` refuses, `warn` says so, `off` does not "
    "look.",
    "delete_referenced": "Deleting what others refer to: `refuse`, `allow`, or `cascade` to delete "
    "them along.",
    "conditional_delete": "`DELETE Type?criteria`: `single` refuses several matches, `multiple` "
    "deletes them all, `off` refuses it.",
    "deleted_max": "As many resources one conditional delete or one cascade may delete.",
    "update_create": "Whether `PUT Type/id` may create under an id of the client's.",
    "full_text": "Whether the words of resources are kept for `_text` and `_content`, which are "
    "refused by name otherwise. `passerelle reindex` lets go of them once it is off.",
    "job_lease_seconds": "How long a worker holds a job, such as a sending: the jobs of one that "
    "died are taken up after that. A sending may take four fifths of it.",
    "job_retry_seconds": "How long to wait after each attempt before the next one, as a JSON list "
    "of seconds: one more attempt than there are waits.",
    "ins_allow_test": "Accept the INS OIDs of test and demonstration.",
    "emitter_name": "The structure in whose name documents leave: custodian and author of the CDA.",
    "emitter_finess": "Its FINESS number.",
    "mss_address": "The MSSanté mailbox of the gateway. Secure mail is there from the moment this "
    "is set.",
    "mss_display": "The name shown beside this address.",
    "mss_nil": "The product reference number (NIL), in `X-MSS-NIL` of every message.",
    "mss_smtp_host": "The operator's SMTP server.",
    "mss_smtp_port": "Its port.",
    "mss_imap_host": "The operator's IMAP server.",
    "mss_imap_port": "Its port.",
    "mss_security": "How the connections are secured: STARTTLS, or TLS from the first byte.",
    "mss_username": "The account on both servers.",
    "mss_password": "Its password.",
    "mss_client_certificate": "The client certificate shown to the operator (PEM).",
    "mss_client_key": "Its private key (PEM).",
    "mss_ca_file": "The authorities that the operator's certificates are checked against (PEM).",
    "mss_crl_file": "Certificates that are revoked (PEM).",
    "mss_white_list": "The white list of the espace de confiance (XML). Read again when the file "
    "changes.",
    "mss_poll_seconds": "How long to wait between two visits of the mailbox.",
    "mss_size_max": "The largest message that is sent, in bytes.",
}
"""Field to meaning, where it has no description of its own. The tests want one for every field."""

OTHERS = {
    CONFIG: ("A TOML file of settings. The environment goes before it.", "every command"),
    PREFIX + "LANG": ("`en` for English on the terminal; French otherwise.", "every command"),
    PREFIX + "SERVER": (
        "The address of the gateway that is asked, as `--server`.",
        "`dossier`, `fhir` and `mss`",
    ),
}
"""Variables that are no field of the settings: what they say and who reads them."""


def write() -> str:
    """Write the page."""
    rows = (
        (code(variable(name)), kind(field), default(field), meaning(name, field))
        for name, field in Settings.model_fields.items()
    )
    return page(
        "Settings",
        "A setting is an environment variable, or a key of the TOML file that "
        f"{code(CONFIG)} names. The environment goes before the file. All faults are told at "
        "once, by the name of the setting and never with its value. A variable `PASSERELLE_…` that "
        "is no setting is told in the log when the gateway starts, with the name that is near.",
        table(("Variable", "Type", "Default", "Meaning"), rows),
        "## The TOML file",
        "A key is the name of the variable without `PASSERELLE_`, in small letters. The name of a "
        "table goes before its keys: `address` in `[mss]` is `mss_address`. An unknown key is "
        "refused.",
        '```toml\nbind = "127.0.0.1:8080"\n\n[mss]\naddress = "dac81@demo.mssante.fr"\n```',
        "## Other variables",
        table(
            ("Variable", "Read by", "Meaning"),
            ((code(name), by, said) for name, (said, by) in OTHERS.items()),
        ),
    )


def variable(name: str) -> str:
    """Give the environment variable of a field."""
    return PREFIX + name.upper()


def meaning(name: str, field: FieldInfo) -> str:
    """Give what a field means: its description, else the line of the table here, else nothing."""
    return field.description or MEANINGS.get(name, "")


def default(field: FieldInfo) -> str:
    """Give the default of a field; a secret's is never shown."""
    if isinstance(field.default, SecretStr):
        return "not shown"
    if field.default in (None, ""):
        return "–"
    value = field.default
    if isinstance(value, tuple):
        return code(list(value))
    return code(str(value).lower() if isinstance(value, bool) else value)


NAMES: dict[Any, str] = {
    str: "text",
    bool: "true, false",
    int: "whole number",
    float: "number",
    Path: "path",
    SecretStr: "secret text",
}


def kind(field: FieldInfo) -> str:
    """Give the type of a field with its bounds."""
    return "; ".join((_type(field.annotation), *_bounds(field.metadata)))


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(code(choice) for choice in get_args(annotation))
    if get_origin(annotation) in (types.UnionType, Union):
        inner = (one for one in get_args(annotation) if one is not type(None))
        return " or ".join(_type(one) for one in inner)
    if get_origin(annotation) is tuple:
        return f"JSON list of: {_type(get_args(annotation)[0])}"
    if hasattr(annotation, "__metadata__"):
        bare, *metadata = get_args(annotation)
        found = [each for one in metadata for each in getattr(one, "metadata", (one,))]
        return "; ".join((_type(bare), *_bounds(found)))
    return NAMES[annotation]


def _bounds(metadata: Iterable[Any]) -> list[str]:
    signs = {
        annotated_types.Ge: ("≥", "ge"),
        annotated_types.Gt: (">", "gt"),
        annotated_types.Le: ("≤", "le"),
        annotated_types.Lt: ("<", "lt"),
        annotated_types.MinLen: ("length ≥", "min_length"),
        annotated_types.MaxLen: ("length ≤", "max_length"),
    }
    found = []
    for one in metadata:
        if type(one) in signs:
            sign, name = signs[type(one)]
            found.append(f"{sign} {getattr(one, name)}")
        elif getattr(one, "pattern", None):
            found.append(code(one.pattern))
    return found
