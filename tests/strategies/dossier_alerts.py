"""Alerts of a native dossier, for property tests: every field, all valid."""

from typing import Any

from hypothesis import strategies as st

from passerelle.mappers.native.dossier import Entry
from tests.strategies.dossier_values import instants, lines, optional, texts

KINDS = (
    *("clinical", "fall", "hospitalisation", "social"),
    *("administrative", "task-overdue", "identity", "other"),
)


@st.composite
def alerts(draw: st.DrawFn, key: str, references: Any, abouts: list[str]) -> Entry:
    """Draw an alert; ``references`` draws members, ``abouts`` are keys that one entry bears."""
    acks = st.fixed_dictionaries({"by": references, "at": instants()})
    alert = draw(
        optional(
            {
                "key": st.just(key),
                "kind": st.sampled_from(KINDS),
                "title": lines,
                "raisedAt": instants(),
                "status": st.sampled_from(
                    ("active", "acknowledged", "resolved", "entered-in-error")
                ),
            },
            text=texts,
            severity=st.sampled_from(("information", "warning", "urgent")),
            raisedBy=references,
            recipients=st.lists(references, max_size=3, unique=True),
            acks=st.lists(acks, max_size=2, unique_by=lambda ack: (ack["by"], ack["at"])),
            until=st.sampled_from(("2041", "2041-05", "2041-05-01", "2041-05-01T00:00:00Z")),
        )
    )
    if abouts and draw(st.booleans()):
        alert["about"] = draw(st.sampled_from(abouts))
    return alert
