"""What was told and decided of the sharing, for property tests: every field, all valid."""

from typing import Any

from hypothesis import strategies as st

from passerelle.mappers.native.dossier import SECTIONS, Entry
from tests.strategies.dossier_values import instants, lines, optional, texts, whens

MEANS = st.sampled_from(("oral", "paper", "electronic"))
REGIMES = ("none", "minor", "safeguard", "curatorship", "guardianship", "family-authorisation")


@st.composite
def decisions(
    draw: st.DrawFn, key: str, references: Any, circle: list[str], documents: list[str]
) -> Entry:
    """Draw one decision; ``circle`` and ``documents`` are the keys that it may be about."""
    targets: dict[str, st.SearchStrategy[str] | None] = {
        "dossier": None,
        "member": st.sampled_from(circle) if circle else None,
        "structure": lines | (st.sampled_from(circle) if circle else lines),
        "section": st.sampled_from(SECTIONS),
        "document": st.sampled_from(documents) if documents else None,
        "dmp-read": None,
        "dmp-write": lines,
        "secondary-use": None,
    }
    scope = draw(st.sampled_from(sorted(targets)))
    target = targets[scope]
    return draw(
        optional(
            {
                "key": st.just(key),
                "kind": st.sampled_from(("consent", "opposition", "withdrawal")),
                "scope": st.just(scope),
                "at": whens,
            },
            until=whens,
            givenBy=references,
            collectedBy=references,
            means=MEANS,
            legitimateReason=texts,
            **({} if target is None else {"target": target}),
        )
    )


@st.composite
def sharings(
    draw: st.DrawFn, keys: list[str], references: Any, circle: list[str], documents: list[str]
) -> Entry:
    """Draw what was told, the decisions with these keys, and the regime."""
    informed = optional({"at": whens}, by=references, means=MEANS, noticeVersion=lines)
    told = draw(optional({}, informed=informed, protection=st.sampled_from(REGIMES)))
    made = [draw(decisions(key, references, circle, documents)) for key in keys]
    return {**told, "decisions": made}


@st.composite
def messages(draw: st.DrawFn, key: str, references: Any, documents: list[str]) -> Entry:
    """Draw one message of secure mail; ``documents`` are the keys that it may carry."""
    addresses = st.sampled_from(("dr.martin@exemple.mssante.fr", "dac@demo.mssante.fr"))
    kinds = st.sampled_from(("relay", "delivery", "failure", "read"))
    receipt = optional({"kind": kinds, "at": instants()}, recipient=lines, code=lines)
    statuses = ("draft", "queued", "accepted", "delivered", "read", "failed", "received")
    carried = st.lists(st.sampled_from(documents or [""]), max_size=2, unique=True)
    return draw(
        optional(
            {
                "key": st.just(key),
                "direction": st.sampled_from(("out", "in")),
                "from": addresses,
                "to": st.lists(addresses, min_size=1, max_size=2),
                "status": st.sampled_from((*statuses, "entered-in-error")),
            },
            messageId=lines,
            subject=lines,
            text=texts,
            **({"documents": carried} if documents else {}),
            inReplyTo=lines,
            sentAt=instants(),
            receipts=st.lists(receipt, max_size=2),
            by=references,
            onBehalfOf=references,
        )
    )
