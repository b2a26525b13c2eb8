"""What ``passerelle dossier diff`` asks of a gateway: dossiers by their names, as they were.

``POST /dossiers:diff``.
"""

import re
from pathlib import Path
from typing import Any

from passerelle.cli import client
from passerelle.mappers.native.dossier_diff import Change

_ETAG = re.compile(r"[0-9a-f]{16}")


def is_name(text: str) -> bool:
    """Tell whether an argument names a dossier (``system|value``) and no file."""
    return "|" in text and not Path(text).exists()


def asked(
    first: str,
    second: str | None,
    *,
    before: str | None,
    after: str | None,
    server: str,
    json: bool,
) -> tuple[Change, ...]:
    """Compare what the arguments name, a file or a dossier of the gateway, in the states given."""
    from passerelle.fhir.json_text import encode

    sides: dict[str, Any] = {"before": _side(first, before, json=json)}
    if second is not None or after is not None:
        sides["after"] = _side(second or first, after, json=json)
    headers = {"content-type": "application/json"}
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask("POST", "dossiers:diff", content=encode(sides), headers=headers)
        found = answer.json()["changes"]
    return tuple(Change(**{name: one.get(name) for name in Change._fields}) for one in found)


def _side(text: str, state: str | None, *, json: bool) -> dict[str, Any]:
    if not is_name(text):
        return client.read_json(Path(text), json=json)[1]
    if state is None:
        return {"dossier": text}
    return {"dossier": text, "version" if _ETAG.fullmatch(state) else "at": state}
