"""Dossiers by the dozen, all alike but for their name, their person and what is asked."""

import json
from typing import Any

from passerelle.demo.samples import provisional
from passerelle.dossiers.exchange.receipts_of_push import Receipt
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.gateway import Gateway
from passerelle.store.caller import SYSTEM

SYSTEM_OF = "https://coordination.example/dossiers"


def small(number: int, **root: Any) -> dict[str, Any]:
    """Give a dossier without documents, of a person of its own."""
    made = provisional(b"%PDF-1.4")
    made.pop("documents")
    made["id"] = {"system": SYSTEM_OF, "value": f"N-{number:05}"}
    made["person"]["identifiers"][0]["value"] = f"P-{number:05}"
    return made | root


def tag_of(dossier: dict[str, Any]) -> str:
    """Give the name of a dossier."""
    return f"{dossier['id']['system']}|{dossier['id']['value']}"


async def push(gateway: Gateway, dossier: dict[str, Any]) -> Receipt:
    """Push a dossier that must be taken."""
    body = json.dumps(dossier).encode()
    return await receive(
        gateway, SYSTEM, tag_of(dossier), body, if_match=None, strict=True, dry_run=False
    )
