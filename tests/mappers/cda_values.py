"""Strategies of headers: names with accents, apostrophes and markup, absent parts, many actors."""

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from passerelle.mappers.cda.cda_document import (
    Actor,
    Address,
    Author,
    CdaDocument,
    Device,
    Encounter,
    InstanceIdentifier,
    LegalAuthenticator,
    NonXmlBody,
    PatientRole,
    PersonName,
    RelatedDocument,
    ServiceEvent,
    Structure,
    Telecom,
)
from passerelle.mappers.xdm.xds_metadata import Coded

LETTERS = "ABÉÈÇŒœßŸñ'’-&<>\"]] é^|~\\🙂漢"
words = st.text(LETTERS, min_size=1, max_size=12).map(lambda text: " ".join(text.split()))
names = words.filter(bool)
oids = st.lists(st.integers(0, 10**12), min_size=1, max_size=6).map(
    lambda arcs: ".".join(map(str, (2, 25, *arcs)))
)
identifiers = st.builds(InstanceIdentifier, oids, st.none() | names)
codes = st.builds(
    Coded, st.text("ABCdef012-_/", min_size=1, max_size=10), oids, st.just("") | names
)
offsets = st.integers(-12 * 4, 14 * 4).map(
    lambda quarters: timezone(timedelta(minutes=quarters * 15))
)
_FIRST, _LAST = datetime(1900, 1, 2), datetime(2100, 1, 1)  # noqa: DTZ001
moments = st.datetimes(min_value=_FIRST, max_value=_LAST, timezones=offsets).map(
    lambda moment: moment.strftime("%Y%m%d%H%M%S%z")[:19]
)
days = st.dates().filter(lambda day: day.year > 1000).map(lambda day: day.strftime("%Y%m%d"))
times = moments | days
telecoms = st.lists(
    st.builds(
        Telecom,
        st.sampled_from(["tel:+33561000000", "mailto:a@b.example", "http://a.example/?b&c"]),
        st.none() | st.sampled_from(["H", "WP", "MC"]),
    ),
    max_size=2,
).map(tuple)
addresses = st.lists(
    st.builds(
        Address,
        st.lists(
            st.tuples(st.sampled_from(["streetAddressLine", "postalCode", "city"]), names),
            min_size=1,
            max_size=4,
        ).map(tuple),
        st.none() | st.just("WP"),
    ),
    max_size=2,
).map(tuple)
person_names = st.builds(PersonName, names, *[st.none() | names] * 3)
structures = st.builds(
    Structure,
    st.lists(identifiers, min_size=1, max_size=2).map(tuple),
    st.none() | names,
    telecoms,
    addresses,
    st.none() | codes,
)
custodians = st.builds(
    Structure,
    st.lists(identifiers, min_size=1, max_size=2).map(tuple),
    st.none() | names,
    telecoms.map(lambda found: found[:1]),
    addresses.map(lambda found: found[:1]),
)
_ids = st.lists(identifiers, min_size=1, max_size=2).map(tuple)
persons = st.builds(
    Actor,
    _ids,
    st.none() | codes,
    st.none() | person_names,
    st.none(),
    st.none() | structures,
    telecoms,
    addresses,
)
devices = st.builds(
    Actor,
    _ids,
    st.none(),
    st.none(),
    st.builds(Device, names, st.none() | names),
    st.none() | structures,
)
patients = st.builds(
    PatientRole,
    st.lists(
        identifiers | st.just(InstanceIdentifier("1.2.250.1.213.1.4.10", "279035121518989")),
        min_size=1,
        max_size=3,
    ).map(lambda found: tuple(dict.fromkeys(found))),
    names,
    names,
    names,
    st.none() | names,
    st.none() | names,
    st.sampled_from(["M", "F", "UN"]),
    days,
    st.sampled_from(["51215", "2B033", "99255"]),
    st.none() | names,
    telecoms,
    addresses,
)
events = st.builds(
    ServiceEvent,
    st.none() | codes,
    st.just(()),
    times,
    st.none() | times,
    st.lists(identifiers, max_size=2).map(tuple),
    st.lists(persons, min_size=1, max_size=2).map(tuple),
)
encounters = st.builds(
    Encounter,
    st.none() | codes,
    st.none() | times,
    st.none() | times,
    st.lists(identifiers, max_size=1).map(tuple),
    codes,
    st.lists(identifiers, max_size=1).map(tuple),
    st.none() | names,
)
bodies = st.builds(
    NonXmlBody, st.sampled_from(["application/pdf", "text/plain", "image/jpeg"]), st.binary()
)
documents = st.builds(
    CdaDocument,
    id=identifiers,
    set_id=identifiers,
    version=st.integers(1, 999),
    code=codes,
    title=names,
    time=moments,
    confidentiality=st.sampled_from(
        [Coded(code, "2.16.840.1.113883.5.25", "") for code in ("N", "R", "V")]
    ),
    patient=patients,
    authors=st.lists(
        st.builds(Author, persons | devices, st.none() | times, st.none() | codes),
        min_size=1,
        max_size=3,
    ).map(tuple),
    custodian=custodians,
    legal_authenticator=st.builds(LegalAuthenticator, persons, st.none() | times),
    events=st.lists(events, min_size=1, max_size=2).map(tuple),
    encounter=encounters,
    related=st.none() | st.builds(RelatedDocument, st.just("RPLC"), identifiers),
    body=bodies,
)
"""Documents that may leave: every mandatory element is there."""
