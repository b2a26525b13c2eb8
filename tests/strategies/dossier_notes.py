"""Notes of the liaison notebook, for property tests: every field, all valid."""

from typing import Any

from hypothesis import strategies as st

from passerelle.mappers.native.dossier import Entry
from tests.strategies.dossiers import audiences, files, instants, lines, optional, texts


@st.composite
def notes(draw: st.DrawFn, key: str, references: Any, earlier: list[str]) -> Entry:
    """Draw one note; ``earlier`` are the keys of those that it may reply to."""
    note: Entry = draw(
        optional(
            {
                "key": st.just(key),
                "kind": st.sampled_from(("GEN", "OBS", "INTERV", "INST", "DEM-AVIS")),
                "text": texts,
                "author": references,
                "createdAt": instants(),
            },
            title=lines,
            urgent=st.booleans(),
            editedAt=st.just("2041-01-01T00:00:00.5+01:00"),
            audience=audiences(references),
            status=st.sampled_from(("current", "superseded", "entered-in-error")),
            files=st.lists(files(), max_size=2),
            readBy=st.lists(
                st.fixed_dictionaries({"member": references, "at": instants()}), max_size=2
            ),
        )
    )
    if earlier and draw(st.booleans()):
        note["replyTo"] = draw(st.sampled_from(earlier))
    return note
