"""What a person in France types, and whom it finds, at the door of each database.

https://hl7.org/fhir/R4/search.html#string , https://hl7.org/fhir/R4/search.html#date . A string is
found by how a value begins, whatever its case, accents, ligatures, marks and blanks; a date without
a zone is one of France; a partial date is found by the one that it lies in.
"""

from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.anyio
FORM = {"content-type": "application/x-www-form-urlencoded"}

NAMES = {
    # id: family, given
    "eleonore": ("Lefèvre", "Éléonore"),
    "decomposed": ("Lefe\u0300vre", "E\u0301le\u0301onore"),
    "almeida": ("D'ALMEIDA", "Jean-Pierre"),
    "typographic": ("d\u2019Almeida", "Jean\u2011Pierre"),
    "spaced": ("d' Almeida", "Jean  Pierre"),
    "particle": ("de la Fontaine", "Françoise"),
    "capitals": ("DE LA FONTAINE", "FRANCOISE"),
    "bare": ("Fontaine", "Noël"),
    "ligature": ("L\u0153uvre", "L\u00e6titia"),
    "letters": ("LOEUVRE", "LAETITIA"),
    "sharp": ("Wei\u00dfmann", "Zoé"),
    "double": ("Le  Gall-Saint\u00a0Étienne", "Maëlle"),
    "short": ("Ô", "Li"),
    "greek": ("Παπαδόπουλος", "Ιωάννης"),
}
D_ALMEIDA = ["almeida", "typographic", "spaced"]
DE_LA_FONTAINE = ["particle", "capitals"]
LOEUVRE = ["ligature", "letters"]

BY_NAME = [
    *((("given", text), ["eleonore", "decomposed"]) for text in (
        "Éléonore", "eleonore", "ELEONORE", "ÉLÉONORE", "e\u0301le\u0301onore", "Élé", "éleo",
        "  Éléonore ",
    )),
    *((("family", text), ["eleonore", "decomposed"]) for text in ("lefevre", "Lefèvre", "LEFÈ")),
    *((("family", text), D_ALMEIDA) for text in (
        "D'ALMEIDA", "d'almeida", "D\u2019Almeida", "d almeida", "d\u02bcalmeida", "D`Almeida",
        "d'Alm", "D-Almeida", "d'  almeida",
    )),
    *((("given", text), D_ALMEIDA) for text in (
        "Jean-Pierre", "jean pierre", "JEAN-PIERRE", "Jean\u2011Pierre", "Jean\u2010Pierre",
        "Jean\u2013Pierre", "jean  pierre", "Jean\u00a0Pierre", "Jean\u202fPierre", "Jean",
        "jean-p",
    )),
    *((("family", text), DE_LA_FONTAINE) for text in (
        "de la Fontaine", "DE LA FONTAINE", "De-La-Fontaine", "de  la fontaine", "de la", "de",
    )),
    (("family", "Fontaine"), ["bare"]),
    (("family:contains", "fontaine"), [*DE_LA_FONTAINE, "bare"]),
    (("family:contains", "LA FONTAINE"), DE_LA_FONTAINE),
    (("given", "Pierre"), []),
    (("given:contains", "pierre"), D_ALMEIDA),
    *((("family", text), LOEUVRE) for text in ("Lœuvre", "loeuvre", "L\u0152UVRE", "Loe", "lœ")),
    *((("given", text), LOEUVRE) for text in ("Lætitia", "laetitia", "L\u00c6TITIA", "Lae")),
    *((("family", text), ["sharp"]) for text in (
        "Weißmann", "weissmann", "WEISSMANN", "WEI\u1e9e",
    )),
    *((("family", text), ["double"]) for text in (
        "Le Gall", "le gall saint etienne", "LE GALL-SAINT-ÉTIENNE", "Le\u00a0Gall", "Le\u2009Gall",
    )),
    (("family", "Ô"), ["short"]),
    (("family", "o"), ["short"]),
    (("family", "παπαδοπουλος"), ["greek"]),
    (("given", "Noel,françoise"), [*DE_LA_FONTAINE, "bare"]),
    (("name", "eleonore"), ["eleonore", "decomposed"]),
    (("name", "lefevre"), ["eleonore", "decomposed"]),
    (("given:exact", "Éléonore"), ["eleonore"]),
    (("given:exact", "E\u0301le\u0301onore"), ["decomposed"]),
    (("given:exact", "éléonore"), []),
    (("family:exact", "d\u2019Almeida"), ["typographic"]),
    (("address-city", "saint etienne"), ["eleonore"]),
    (("address-city", "SAINT-ÉTIENNE"), ["eleonore"]),
    (("address-city", "L'Haÿ les Roses"), ["decomposed"]),
    (("address-city", "l\u2019hay-les-roses"), ["decomposed"]),
    (("address", "3 rue d'assas"), ["eleonore"]),
    (("address", "12, avenue de l\u2019Observatoire"), ["decomposed"]),
    (("address", "12 avenue de l'observatoire"), ["decomposed"]),
]  # fmt: skip
"""What is asked, and who is found."""

NOTHING_LEFT = ("'", "-", "\u2019 \u2011", "…")
"""Nothing is left of them to look for, so that they would find everybody."""

ADDRESSES = {
    "eleonore": {"city": "Saint-Étienne", "line": ["3 rue d\u2019Assas"]},
    "decomposed": {"city": "L\u2019Haÿ-les-Roses", "line": ["12, avenue de l'Observatoire"]},
}

BORN = {
    "day": "1979-03-28",
    "first": "1979-03-01",
    "last": "1979-03-31",
    "month": "1979-03",
    "year": "1979",
    "next": "1980-01-01",
    "leap": "1980-02-29",
}
MARCH = ["day", "first", "last", "month"]

BY_BIRTH = [
    ("1979-03-28", ["day"]),
    ("1979-03", MARCH),
    ("1979", [*MARCH, "year"]),
    ("1980-02", ["leap"]),
    ("1980", ["next", "leap"]),
    ("1979-03-28,1980-01-01", ["day", "next"]),
    ("ne1979", ["next", "leap"]),
    ("gt1979", ["next", "leap"]),
    ("ge1979-03-29", ["last", "month", "year", "next", "leap"]),
    ("lt1979-03-02", ["first", "month", "year"]),
    ("le1979-03-01", ["first", "year"]),
    ("sa1979-03-28", ["last", "next", "leap"]),
    ("eb1979-03-28", ["first"]),
    ("sa1979", ["next", "leap"]),
    ("eb1980", [*MARCH, "year"]),
]
"""What reaches beyond, or lies within, is `ge` or `le`; what only overlaps the day is neither."""

HELD = {
    # 2026-03-29 has 23 hours in France, 2026-10-25 has 25.
    "paris": ("2026-03-28T23:30:00+01:00", "2026-03-28T23:45:00+01:00"),
    "utc": ("2026-03-28T23:30:00Z", "2026-03-28T23:45:00Z"),
    "reunion": ("2026-03-29T01:30:00+04:00", "2026-03-29T01:45:00+04:00"),
    "guadeloupe": ("2026-03-28T20:30:00-04:00", "2026-03-28T20:45:00-04:00"),
    "summer": ("2026-03-29T23:30:00+02:00", "2026-03-29T23:45:00+02:00"),
    "whole": ("2026-03-29", "2026-03-29"),
    "twice": ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),
}
SUNDAY = ["utc", "guadeloupe", "summer", "whole"]

BY_TIME = [
    ("2026-03-28", ["paris", "reunion"]),
    ("2026-03-29", SUNDAY),
    ("2026-03", ["paris", "utc", "reunion", "guadeloupe", "summer", "whole"]),
    ("2026-10-25", ["twice"]),
    ("eq2026", sorted(HELD)),
    ("ge2026-03-29T22:00:00Z", ["twice"]),
    ("sa2026-03-29", ["twice"]),
    ("lt2026-03-29T00:00:00+01:00", ["paris", "reunion"]),
    ("lt2026-03-29T00:00:00.000+01:00", ["paris", "reunion"]),
    ("lt2026-03-28T23:00:00Z", ["paris", "reunion"]),
    ("eb2026-03-29", ["paris", "reunion"]),
    ("ge2026-03-29T23:30+02:00", ["summer", "whole", "twice"]),
]


async def asked(served, type, criterion):
    """Ask by GET and by POST; give the ids that both find."""
    query = urlencode([criterion, ("_count", "50")])
    by_get = await served.ask("GET", f"/fhir/{type}?{query}", headers={"prefer": "handling=strict"})
    by_post = await served.ask("POST", f"/fhir/{type}/_search", query.encode(), FORM)
    assert (by_get.status_code, by_post.status_code) == (200, 200), (criterion, by_get.text)
    found = [entry["resource"]["id"] for entry in by_get.json().get("entry", [])]
    assert [entry["resource"]["id"] for entry in by_post.json().get("entry", [])] == found
    return sorted(found)


async def wrong(served, type, table):
    """Give what is not found as it should be: what was asked, found and wanted."""
    given = [(criterion, await asked(served, type, criterion), ids) for criterion, ids in table]
    return [(criterion, found, ids) for criterion, found, ids in given if found != sorted(ids)]


async def test_a_person_is_found_by_a_name_as_it_is_typed_in_france(served, rules):
    for id, (family, given) in NAMES.items():
        person = {"resourceType": "Patient", "id": id, "name": [{"family": family}]}
        person["name"][0]["given"] = [given]
        if id in ADDRESSES:
            person["address"] = [ADDRESSES[id]]
        kept = await served.kept(person)
        assert kept["name"] == person["name"]
    assert await wrong(served, "Patient", BY_NAME) == []
    for text in NOTHING_LEFT:
        answer = await served.ask("GET", "/fhir/Patient?" + urlencode({"family": text}))
        assert (answer.status_code, rules(answer)) == (400, ["search.value-invalid"])


async def test_a_partial_date_of_birth_is_found_by_the_one_it_lies_in(served):
    for id, date in BORN.items():
        await served.kept({"resourceType": "Patient", "id": id, "birthDate": date})
    table = [(("birthdate", text), ids) for text, ids in BY_BIRTH]
    assert await wrong(served, "Patient", table) == []


async def test_a_day_is_one_of_france_whatever_the_zone_of_an_instant(served):
    fixed = {"resourceType": "Encounter", "status": "finished"}
    fixed |= {"class": {"system": "http://e.fr/class", "code": "AMB"}}
    for id, (start, end) in HELD.items():
        await served.kept(fixed | {"id": id, "period": {"start": start, "end": end}})
    table = [(("date", text), ids) for text, ids in BY_TIME]
    assert await wrong(served, "Encounter", table) == []
    # Typed into an address bar, the plus of a zone is a blank.
    typed = "/fhir/Encounter?date=lt2026-03-29T00:00:00+01:00"
    bundle = (await served.ask("GET", typed)).json()
    assert sorted(e["resource"]["id"] for e in bundle["entry"]) == ["paris", "reunion"]
