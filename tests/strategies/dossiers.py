"""Native dossiers for property tests: every field of the sections that are taken, all valid.

``dossiers()`` gives values in normal form, ``dossiers().map(dump)`` bodies to push. Matricules
are of the test domain only, with a right key.
"""

from base64 import b64encode
from hashlib import sha256
from typing import Any

from hypothesis import strategies as st

from passerelle.mappers.native.dossier import Dossier, Entry, normal
from passerelle.mappers.resources.code_systems import TRE_R38, TRE_R85, TRE_R260
from tests.strategies.dossier_alerts import alerts
from tests.strategies.dossier_forms import forms
from tests.strategies.dossier_sharing import messages, sharings
from tests.strategies.dossier_values import (
    audiences,
    codes,
    instants,
    keys,
    languages,
    lines,
    names,
    optional,
    outsides,
    periods,
    systems,
    texts,
    tokens,
    whens,
    years_months_days,
)

INS_TEST = "1.2.250.1.213.1.4.10"
PLATFORMS = ("https://coordination.example", "https://autre.example/plateforme/")


@st.composite
def member_periods(draw: st.DrawFn) -> list[Entry]:
    count = draw(st.integers(0, 2))
    former = [
        {"start": f"20{index:02d}-03-0{index + 1}", "end": f"20{index:02d}-12-31T10:00:00+01:00"}
        for index in range(count)
    ]
    last = {"start": draw(st.sampled_from(("2030", "2030-01", "2030-01-02T00:00:00-04:00")))}
    return [*former, {**last, "end": "2032-02-29"} if draw(st.booleans()) else last]


def phones(*uses: str) -> Any:
    return optional({"number": lines}, use=st.sampled_from(uses))


mails = st.sampled_from(("a.b@exemple.fr", "dac81@demo.mssante.fr", "x+y@sous.domaine.example"))
mailboxes = optional(
    {"address": mails, "type": st.sampled_from(("PER", "ORG", "APP", "CAB", "USAGER"))},
    unlisted=st.booleans(),
)
addresses = optional(
    {},
    lines=st.lists(lines, max_size=3),
    postalCode=lines,
    city=lines,
    inseeCode=st.sampled_from(("81004", "2A004", "99100")),
    country=st.sampled_from(("FRA", "BEL")),
)


def contacts(*uses: str) -> Any:
    return optional(
        {},
        phones=st.lists(phones(*uses), max_size=2),
        emails=st.lists(mails, max_size=2),
        mailboxes=st.lists(mailboxes, max_size=2),
        address=addresses,
    )


structures = optional(
    {"name": lines},
    nationalId=st.sampled_from(("1810000000", "312345678901234")),
    finess=st.just("810000000"),
    siret=st.just("12345678901234"),
    legalName=lines,
    unit=lines,
    contact=contacts("work", "mobile"),
)

professionals = optional(
    {"familyName": lines},
    nationalIdType=lines,
    title=st.sampled_from(("Dr", "Pr", "Mme")),
    givenName=lines,
    profession=codes(),
    careRole=codes(TRE_R85),
    speciality=codes(TRE_R38) | codes(),
    structure=structures,
    directoryId=tokens,
)


@st.composite
def matricules(draw: st.DrawFn, sex: str, birth_date: str, place: str) -> str:
    """Draw a matricule of those traits, with its key (two last digits)."""
    month = birth_date[5:7] or "20"
    order = f"{draw(st.integers(1, 999)):03d}"
    body = ("2" if sex == "F" else "1") + birth_date[2:4] + month + place + order
    number = int(body.replace("2A", "19").replace("2B", "18"))
    return f"{body}{97 - number % 97:02d}"


@st.composite
def identities(draw: st.DrawFn) -> Entry:
    status = draw(st.sampled_from(("provisional", "retrieved", "validated", "qualified")))
    qualified = status == "qualified"
    sex = draw(st.sampled_from(("M", "F") if qualified else ("M", "F", "U")))
    birth_date = "1979-03-28" if qualified else draw(years_months_days())
    place = draw(st.sampled_from(("63220", "2A004", "99100")))
    identity = draw(
        optional(
            {
                "birthName": lines,
                "birthFirstNames": st.lists(names, min_size=1, max_size=3),
                "sex": st.just(sex),
                "birthDate": st.just(birth_date),
                "status": st.just(status),
            },
            usedName=lines,
            usedFirstName=names,
            birthPlaceName=lines,
            flags=_flags(doubts=status == "provisional"),
        )
    )
    if qualified or draw(st.booleans()):
        identity["birthPlaceCode"] = place
    if status in ("validated", "qualified") or draw(st.booleans()):
        identity["proof"] = draw(_proofs)
    if status in ("retrieved", "qualified") or draw(st.booleans()):
        former = [draw(matricules(sex, birth_date, place)) for _ in range(draw(st.integers(0, 2)))]
        identity["ins"] = {
            "number": draw(matricules(sex, birth_date, place)),
            "oid": INS_TEST,
            **draw(optional({}, obtainedAt=whens, checkedAt=whens)),
            "history": [
                {"number": number, "oid": INS_TEST, **draw(_former_span)} for number in former
            ],
        }
    return identity


def _flags(*, doubts: bool) -> Any:
    homonym = st.lists(st.just("homonym"), max_size=1)
    if not doubts:
        return homonym
    together = st.lists(st.sampled_from(("homonym", "doubtful")), unique=True)
    return together | st.just(["fictitious"])


_former_span = optional({}, **{"from": st.just("2001"), "until": st.just("2020-02-03")})
_proofs = optional(
    {
        "kind": codes()
        | st.just(
            {
                "system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-mode-validation-identity",
                "code": "CN",
            }
        )
    },
    checkedAt=whens,
    checkedBy=lines,
)


@st.composite
def members(draw: st.DrawFn, key: str, others: list[str]) -> Entry:
    kind = draw(st.sampled_from(("professional", "structure", "relative")))
    basis = draw(st.sampled_from((None, "care-team", "consent", "listed-only")))
    member = {
        "key": key,
        "kind": kind,
        "periods": draw(member_periods()),
        **draw(
            optional(
                {},
                contact=contacts("home", "work", "mobile"),
                account=st.sampled_from(("none", "invited", "active", "disabled")),
                referent=st.booleans(),
                leftReason=lines,
                invitedBy=st.sampled_from([*others, "person"]),
            )
        ),
    }
    if basis:
        member["basis"] = basis
        if basis == "consent" or draw(st.booleans()):
            member["consent"] = draw(tokens)
    if kind == "relative" or draw(st.booleans()):
        member["role"] = draw(codes(TRE_R260) | codes())
    if kind == "professional":
        member["professional"] = draw(professionals)
    elif kind == "structure":
        member["structure"] = draw(structures)
    else:
        member["relative"] = draw(
            optional({"familyName": lines}, givenName=lines, relation=codes())
        )
    return member


@st.composite
def files(draw: st.DrawFn) -> Entry:
    file = draw(
        optional(
            {
                "mimeType": st.sampled_from(
                    ("application/pdf", "text/plain; charset=utf-8", "image/jpeg", "text/xml")
                )
            },
            name=lines,
        )
    )
    data = draw(st.binary(max_size=20))
    if draw(st.booleans()):
        file["data"] = b64encode(data).decode()
    if "data" not in file or draw(st.booleans()):
        file["url"] = draw(
            st.sampled_from(("files/d1.pdf", "https://source.example/d?1", "Binary/1"))
        )
    if draw(st.booleans()):
        file["size"] = len(data)
    if draw(st.booleans()):
        file["sha256"] = sha256(data).hexdigest()
    return file


@st.composite
def documents(draw: st.DrawFn, key: str, references: Any, earlier: list[str]) -> Entry:
    document = draw(
        optional(
            {
                "key": st.just(key),
                "title": lines,
                "type": codes("http://loinc.org"),
                "createdAt": whens,
                "author": references,
                "status": st.sampled_from(("current", "superseded", "entered-in-error")),
                "files": st.lists(files(), min_size=1, max_size=2),
            },
            uniqueId=st.sampled_from(
                ("urn:oid:1.2.250.1.1", "1.2.250.1.1", "urn:uuid:1-2", "1.2.3^ext", "D1")
            ),
            category=codes(),
            formatCode=optional({"system": systems, "code": tokens}, display=lines),
            folder=lines,
            depositedAt=instants(),
            depositor=references,
            act=periods(),
            setting=codes(),
            sector=codes(),
            description=texts,
            archived=st.booleans(),
            audience=audiences(references),
            origin=st.sampled_from(("deposit", "mssante", "dmp", "hospital", "form", "chat")),
        )
    )
    if earlier and draw(st.booleans()):
        document["replaces"] = draw(st.sampled_from(earlier))
    return document


def appointments(key: str, references: Any) -> Any:
    return optional(
        {
            "key": st.just(key),
            "title": lines,
            "start": instants(),
            "status": st.sampled_from(
                (
                    "proposed",
                    "pending",
                    "booked",
                    "arrived",
                    "fulfilled",
                    "cancelled",
                    "noshow",
                    "entered-in-error",
                )
            ),
        },
        uid=lines,
        text=texts,
        kind=codes(),
        end=st.just("2041-01-01T00:00:00Z"),
        cancelReason=codes(),
        place=lines,
        organiser=references,
        participants=st.lists(
            optional(
                {"member": references},
                answer=st.sampled_from(("accepted", "declined", "tentative", "needs-action")),
            ),
            max_size=3,
        ),
        rrule=st.just("FREQ=WEEKLY;BYDAY=MO"),
    )


@st.composite
def tasks(
    draw: st.DrawFn, key: str, references: Any, earlier: list[str], abouts: list[str]
) -> Entry:
    task = draw(
        optional(
            {
                "key": st.just(key),
                "title": lines,
                "status": st.sampled_from(
                    (
                        "requested",
                        "accepted",
                        "in-progress",
                        "on-hold",
                        "completed",
                        "rejected",
                        "cancelled",
                        "entered-in-error",
                    )
                ),
                "createdAt": instants(),
                "requester": references,
            },
            text=texts,
            kind=codes(),
            priority=st.sampled_from(("routine", "urgent", "asap", "stat")),
            due=whens,
            doneAt=whens,
            owner=references,
            comments=st.lists(
                st.fixed_dictionaries({"by": references, "at": instants(), "text": texts}),
                max_size=2,
            ),
            audience=audiences(references),
        )
    )
    if earlier and draw(st.booleans()):
        task["parent"] = draw(st.sampled_from(earlier))
    if abouts and draw(st.booleans()):
        task["about"] = draw(st.sampled_from(abouts))
    return task


@st.composite
def circles(draw: st.DrawFn, *, max_size: int = 3) -> list[Entry]:
    own = draw(st.lists(keys, max_size=max_size, unique=True))
    circle = [draw(members(key, own)) for key in own]
    professional = [member for member in circle if member["kind"] == "professional"]
    numbers = ("10001234567", "810003456789", "0123456789")
    for member, number in zip(professional, numbers, strict=False):
        if draw(st.booleans()):
            member["professional"]["nationalId"] = number
    return circle


@st.composite
def persons(draw: st.DrawFn, references: Any) -> Entry:
    identifier = st.fixed_dictionaries({"system": systems, "value": tokens})
    return draw(
        optional(
            {
                "identifiers": st.lists(identifier, min_size=1, max_size=2),
                "identity": identities(),
            },
            contact=contacts("home", "work", "mobile"),
            languages=st.lists(languages, max_size=2),
            maritalStatus=codes(),
            death=optional(
                {},
                date=whens,
                declaredAt=instants(),
                declaredBy=references,
                place=lines,
                placeCode=st.sampled_from(("31555", "99109")),
                source=st.sampled_from(("declared", "hospital", "national", "cancelled")),
            ).filter(lambda death: death.keys() & {"date", "declaredAt", "source"}),
        )
    )


@st.composite
def pathways(draw: st.DrawFn, key: str) -> Entry:
    entry = optional(
        {"key": st.just(key), "kind": codes(), "start": whens},
        end=st.just("2042-01-01"),
        requestedBy=lines,
        intensity=codes(),
    )
    return draw(entry)


@st.composite
def roots(draw: st.DrawFn, references: Any) -> Entry:
    status = draw(
        st.sampled_from(("proposed", "active", "suspended", "closed", "merged", "entered-in-error"))
    )
    platform = draw(st.sampled_from(PLATFORMS))
    root = draw(
        optional(
            {
                "format": st.just("dossier/1"),
                "id": st.fixed_dictionaries({"system": systems, "value": tokens}),
                "updatedAt": instants(),
                "source": optional(
                    {"platform": st.just(platform)}, software=lines, softwareVersion=lines
                ),
                "status": st.just(status),
                "openedAt": whens,
                "managing": structures,
                "person": persons(references),
            },
            version=lines,
            lead=references,
            ext=st.dictionaries(lines, outsides, min_size=1, max_size=2),
        )
    )
    if status == "closed" or draw(st.booleans()):
        reason = st.sampled_from(
            (
                "deceased",
                "goals-met",
                "moved",
                "refused",
                "opposed",
                "lost-contact",
                "handed-over",
                "duplicate",
                "other",
            )
        )
        root["closedAt"] = "2042-01-01"
        root["closure"] = draw(optional({"reason": reason}, text=texts, by=references))
    if status == "merged" or draw(st.booleans()):
        root["mergedInto"] = {"system": draw(systems), "value": draw(tokens)}
    return root


def _settle_consent(member: Entry, decisions: list[str]) -> None:
    """Have a member name a decision that there is, or none."""
    if decisions:
        member["consent"] = decisions[0]
    else:
        del member["consent"]
        member["basis"] = "care-team"


@st.composite
def dossiers(draw: st.DrawFn) -> Dossier:
    """Draw a whole valid dossier in normal form."""
    from tests.strategies.dossier_events import events
    from tests.strategies.dossier_notes import notes  # draws its values from here

    circle = draw(circles())
    references = st.sampled_from([*(member["key"] for member in circle), "person"])
    root = draw(roots(references))
    named = {
        name: draw(st.lists(keys, max_size=2, unique=True))
        for name in (
            "pathways",
            "sharing",
            "documents",
            "notes",
            "events",
            "forms",
            "appointments",
            "tasks",
            "alerts",
            "messages",
        )
    }
    held = (
        [member["key"] for member in circle] + ["person"] + [k for v in named.values() for k in v]
    )
    abouts = [key for key in held if held.count(key) == 1]
    sections = {
        "pathways": [draw(pathways(key)) for key in named["pathways"]],
        "sharing": draw(
            sharings(named["sharing"], references, [m["key"] for m in circle], named["documents"])
        ),
        "circle": circle,
        "documents": [
            draw(documents(key, references, named["documents"][:index]))
            for index, key in enumerate(named["documents"])
        ],
        "notes": [
            draw(notes(key, references, named["notes"][:index]))
            for index, key in enumerate(named["notes"])
        ],
        "events": [draw(events(key, references, named["documents"])) for key in named["events"]],
        "forms": [draw(forms(key, references, abouts)) for key in named["forms"]],
        "appointments": [draw(appointments(key, references)) for key in named["appointments"]],
        "tasks": [
            draw(tasks(key, references, named["tasks"][:index], abouts))
            for index, key in enumerate(named["tasks"])
        ],
        "alerts": [draw(alerts(key, references, abouts)) for key in named["alerts"]],
    }
    sections["messages"] = [
        draw(messages(key, references, named["documents"])) for key in named["messages"]
    ]
    for member in circle:
        if "consent" in member:
            _settle_consent(member, named["sharing"])
    return normal({**root, **sections})
