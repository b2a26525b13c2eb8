"""Where the root of a dossier and its pathways go in FHIR."""

from tools.dossier_field import Field

_SOURCE = ("EpisodeOfCare.extension(dossier-source)",)
_CLOSURE = ("EpisodeOfCare.extension(dossier-closure)",)
_PATHWAY = ("EpisodeOfCare.type.extension(dossier-pathway)",)

ROOT = (
    Field("format", note="always `dossier/1`"),
    Field(
        "id",
        ("EpisodeOfCare.identifier", "CareTeam.identifier", "EpisodeOfCare.meta.tag"),
        "the tag is on every resource of it",
    ),
    Field("version", ("EpisodeOfCare.extension(source-version)",)),
    Field("updatedAt", ("EpisodeOfCare.extension(source-updated-at)",)),
    Field(
        "source.platform",
        (*_SOURCE, "EpisodeOfCare.meta.source"),
        "`meta.source` on every resource",
    ),
    Field("source.software", _SOURCE),
    Field("source.softwareVersion", _SOURCE),
    Field(
        "status",
        ("EpisodeOfCare.status", "CareTeam.status"),
        "of the EpisodeOfCare proposed is `planned`, suspended `onhold`, closed `finished`, merged "
        "`cancelled` with a Linkage; the statuses that it has been through are its `statusHistory`",
    ),
    Field("openedAt", ("EpisodeOfCare.period.start", "CareTeam.period.start")),
    Field("closedAt", ("EpisodeOfCare.period.end", "CareTeam.period.end")),
    Field("closure.reason", _CLOSURE),
    Field("closure.text", _CLOSURE),
    Field("closure.by", _CLOSURE),
    Field(
        "mergedInto",
        ("EpisodeOfCare.extension(dossier-merged-into)", "Linkage.item.resource"),
        "the Linkage is there when the status is merged",
    ),
    Field(
        "managing",
        (
            "EpisodeOfCare.managingOrganization",
            "CareTeam.managingOrganization",
            "DocumentReference.custodian",
        ),
    ),
    Field(
        "lead",
        ("EpisodeOfCare.careManager", "EpisodeOfCare.extension(dossier-lead)"),
        "the extension where the member is no professional",
    ),
    Field("complete", note="sections sent whole: what is absent from them is ended"),
    Field("ext", ("EpisodeOfCare.extension(dossier-ext)",), "as JSON"),
)

PATHWAYS = (
    Field("pathways[].key", _PATHWAY),
    Field("pathways[].kind", ("EpisodeOfCare.type.coding", "EpisodeOfCare.type.text")),
    Field("pathways[].start", _PATHWAY),
    Field("pathways[].end", _PATHWAY),
    Field("pathways[].requestedBy", _PATHWAY),
    Field("pathways[].intensity", _PATHWAY),
)
