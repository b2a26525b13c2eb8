"""Where an event of the life line goes in FHIR."""

from tools.dossier_field import Field

_TITLE = ("Encounter.extension(event-title)", "Observation.valueString")

EVENTS = (
    Field("events[].key", ("Encounter.identifier", "Observation.identifier"), "type `VN`"),
    Field(
        "events[].kind",
        ("Encounter.type", "Observation.category"),
        "move and life-event are an Observation, all else an Encounter; `class` is of v3-ActCode "
        "for hospital-stay (IMP), emergency (EMER), consultation (AMB), home-visit (HH), else the "
        "kind",
    ),
    Field("events[].code", ("Encounter.type", "Observation.code")),
    Field("events[].title", _TITLE),
    Field("events[].text", ("Encounter.extension(event-text)", "Observation.note.text")),
    Field(
        "events[].start",
        ("Encounter.period.start", "Observation.effectiveDateTime", "Observation.effectivePeriod"),
        "as precise as it is known; `effectiveDateTime` where there is no end",
    ),
    Field("events[].end", ("Encounter.period.end", "Observation.effectivePeriod.end")),
    Field(
        "events[].status",
        ("Encounter.status", "Observation.status"),
        "`unknown` when it is not told; of an Observation planned is `registered`, in-progress "
        "`preliminary`, finished `final`",
    ),
    Field(
        "events[].structure",
        ("Encounter.serviceProvider", "Observation.extension(event-structure)"),
        "the shared Organization",
    ),
    Field(
        "events[].participants[]",
        (
            "Encounter.participant.individual",
            "Encounter.participant.extension(event-participant)",
            "Observation.performer",
        ),
        "ours for the person and for structures, whom R4 does not admit",
    ),
    Field(
        "events[].documents[]",
        ("Encounter.extension(event-document)", "Observation.derivedFrom"),
    ),
    Field(
        "events[].origin",
        ("Encounter.extension(event-origin)", "Observation.extension(event-origin)"),
    ),
    Field(
        "events[].audience.hiddenFrom[]",
        ("Encounter.meta.security", "Observation.meta.security"),
        "TRE_A07",
    ),
    Field(
        "events[].audience.confidentiality",
        ("Encounter.meta.security", "Observation.meta.security"),
        "TRE_A08",
    ),
    Field(
        "events[].audience.onlyFor[]",
        (
            "Encounter.extension(audience-only-for)",
            "Observation.extension(audience-only-for)",
        ),
    ),
)

INTRO = (
    "Encounter, profile `fr-core-encounter`, and for facts of life (move, life-event) Observation "
    "of base R4, category `social-history`. An Encounter is of the EpisodeOfCare of the dossier. "
    "One whose kind changes its type leaves what it was, entered in error, with "
    "`extension(event-moved-to)`."
)
