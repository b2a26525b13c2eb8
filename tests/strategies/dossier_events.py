"""Events of the life line, for property tests: every kind and every field, all valid."""

from typing import Any

from hypothesis import strategies as st

from passerelle.mappers.native.dossier import Entry
from passerelle.mappers.resources.events_homes import KINDS
from tests.strategies.dossiers import audiences, codes, lines, optional, structures, texts, whens


@st.composite
def events(draw: st.DrawFn, key: str, references: Any, documents: list[str]) -> Entry:
    """Draw one event; ``documents`` are the keys of those that it may name."""
    event: Entry = draw(
        optional(
            {
                "key": st.just(key),
                "kind": st.sampled_from(sorted(KINDS)),
                "title": lines,
                "start": whens,
            },
            code=codes(),
            text=texts,
            end=st.sampled_from(("2041", "2041-06-01", "2041-06-01T10:00:00+02:00")),
            status=st.sampled_from(
                ("planned", "in-progress", "finished", "cancelled", "entered-in-error")
            ),
            structure=structures,
            participants=st.lists(references, max_size=3),
            origin=st.sampled_from(("entered", "hospital", "appointment", "form")),
            audience=audiences(references),
        )
    )
    if documents and draw(st.booleans()):
        event["documents"] = draw(st.lists(st.sampled_from(documents), max_size=2))
    return event
