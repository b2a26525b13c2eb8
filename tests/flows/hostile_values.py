"""Values, names and headers that hostile requests are made of."""

from urllib.parse import quote

from hypothesis import strategies as some

from passerelle.fhir.search.language.filter_syntax import OPERATORS
from passerelle.fhir.search.language.modifiers import MODIFIERS
from passerelle.fhir.search.search_parameters import parameters

TYPES = ("Patient", "Observation", "DocumentReference", "Location", "Encounter", "ValueSet", "List")
METHODS = ("GET", "GET", "GET", "GET", "HEAD", "DELETE", "POST", "PUT", "PATCH", "OPTIONS")
VALUES = (
    *("a", "", " ", ",", "|", "$", "\\", "\\,", "a\\", "a,b", "||", "|a", "a|", "urn:oid:1.2.3|42"),
    *(
        "Patient/a",
        "Patient/a/_history/1",
        "/",
        "http://a/b",
        "urn:uuid:a",
        "#a",
        "Patient/",
        "a/b/c",
    ),
    *(
        "2026",
        "ge2026-01",
        "lt2026-13",
        "ap2026-01-01T10:00:00.123456789Z",
        "9999",
        "0000",
        "ne0001",
    ),
    *(
        "2026-01-01T24:00:00Z",
        "eb9999-12-31T23:59:59+14:00",
        "sa0001-01-01T00:00:00+14:00",
        "ap0001",
    ),
    *(
        "2026-01-01T10:00:00 01:00",
        "1",
        "-0",
        "1e400",
        "1e-400",
        "ap0",
        "ap1e300",
        "9" * 400,
        "NaN",
    ),
    *("gt5.4|http://unitsofmeasure.org|mg", "5||mg", "1|http://unitsofmeasure.org|" + "m" * 300),
    *(
        "1|http://unitsofmeasure.org|10*-999/s",
        "5|a|b|c",
        "1e30|http://unitsofmeasure.org|kg.m2/s2",
    ),
    *("48.8|2.3|10|km", "90|180|1e9|m", "-91|0|1|km", "48.8|2.3", "0|0|-1|km", "nan|inf|1|km"),
    *(
        "89.9999|179.9999|20000|km",
        "a$b",
        "$",
        "8480-6$gt5",
        "http://loinc.org|8480-6$5||mg",
        "$$$",
    ),
    *("true", "false", "null", "\x00", "\x01", "\ud7ff", "\u202e", "é", "e\u0301", "ß", "İ", "ﬃ"),
    *("%", "_", "%25", "'", '"', "';--", "' OR 1=1", "(", "*", "a" * 1000, ",".join("a" * 90)),
    *("Observation:subject", "Observation:subject:Patient", "Patient:*", "*", "a:b:c:d", "Patient"),
    *(
        "-_lastUpdated",
        "name,-birthdate",
        "_id,_id,_id,_id,_id,_id",
        "-",
        "near",
        "count",
        "urn:vs",
    ),
    *("http://hl7.org/fhir/ValueSet/administrative-gender", "urn:cs|a", "current-allergies", "$a"),
)
"""Values of all kinds of parameters, right and wrong ones."""

FILTERS = (
    *(
        "name co 'a'",
        "name pr true and birthdate ge 2026",
        "not (name eq a)",
        "(((((name eq a)))))",
    ),
    *("subject.name eq 'a'", "identifier eq urn:a|b or name sw 'b'", "name", "name eq", "'", "()"),
    *("name[use eq official].family eq a", "birthdate po 2026", "_id in a", "not", "a eq b and"),
    *("subject:Patient.name co a", "gender ss urn:a", "(" * 100 + "name eq a" + ")" * 100, "\x00"),
    *(
        " and ".join(["name eq a"] * 61),
        "name re Patient/a",
        "birthdate eq 99999",
        'name eq "a\\""',
    ),
)
RESULTS = (
    *("_count", "_sort", "_include", "_revinclude", "_include:iterate", "_revinclude:iterate"),
    *("_total", "_summary", "_elements", "_cursor", "_type", "_since", "_at", "_list", "_format"),
    *("_pretty", "_contained", "_containedType", "_text", "_content", "_query", "_score", "_a", ""),
    *(
        "url",
        "code",
        "system",
        "start",
        "end",
        "filter",
        "offset",
        "count",
        "displayLanguage",
        "date",
    ),
)


@some.composite
def _name(draw: some.DrawFn, type_: str) -> str:
    """Give the name of a parameter: with a modifier, in a chain, of a `_has`, or of the result."""
    shape = draw(some.integers(0, 9))
    if shape == 0:
        return draw(some.sampled_from(RESULTS))
    code = draw(some.sampled_from(sorted(parameters(type_))))
    if shape < 4:
        return code
    if shape < 7:
        kinds = sorted(
            {m for each in MODIFIERS.values() for m in each} | {"Patient", "a", "", "iterate"}
        )
        return f"{code}:{draw(some.sampled_from(kinds))}"
    other = draw(some.sampled_from(TYPES))
    inner = draw(some.sampled_from(sorted(parameters(other))))
    if shape < 9:
        return draw(
            some.sampled_from((f"{code}.{inner}", f"{code}:{other}.{inner}", f"{code}.", "."))
        )
    reverse = f"_has:{other}:{inner}:{draw(some.sampled_from(('code', '_id', 'name', '_has', '')))}"
    return draw(some.sampled_from((reverse, f"{code}.{reverse}", f"{reverse}:{other}:subject:_id")))


@some.composite
def query(draw: some.DrawFn, type_: str) -> str:
    """Give a query, escaped as it should be or nearly so."""
    pairs = []
    for _ in range(draw(some.integers(0, 4))):
        if draw(some.integers(0, 5)) == 0:
            name, value = "_filter", draw(some.sampled_from(FILTERS))
            if draw(some.booleans()):
                code = draw(some.sampled_from(sorted(parameters(type_))))
                operator = draw(some.sampled_from(sorted(OPERATORS)))
                value = f"{code} {operator} {draw(some.sampled_from(VALUES))}"
        else:
            name, value = draw(_name(type_)), draw(some.sampled_from(VALUES))
            if draw(some.integers(0, 9)) == 0:
                value = draw(some.text(max_size=12))
        safe = draw(some.sampled_from(("", "", ":|,$/", ":|,$/%+&=;")))
        pairs.append(f"{quote(name, safe=':')}={quote(value, safe, errors='replace')}")
    return draw(some.sampled_from(("&", "&", "&", "&&", ";"))).join(pairs)


HEADERS: dict[str, tuple[str, ...]] = {
    "Accept": (
        *(
            "*/*",
            "application/fhir+xml",
            "application/json;q=0",
            "text/turtle",
            "a",
            ";",
            ",,,",
            "",
        ),
        *(
            "application/fhir+json;fhirVersion=4.0",
            "application/fhir+json;fhirVersion=3.0",
            "q=nan",
        ),
        *("application/xml;q=1e9, */*;q=-1", "application/fhir+json;q=" + "0" * 500, "\xe9", "xml"),
    ),
    "If-Match": (
        'W/"1"',
        '"1"',
        "1",
        "*",
        "",
        "W/",
        'W/"a"',
        'W/"1", W/"2"',
        'W/"' + "9" * 40 + '"',
    ),
    "If-None-Match": ('W/"1"', "*", "", '"', "a,b", ",", 'W/"0"'),
    "If-None-Exist": (
        "identifier=a",
        "?",
        "",
        "a=b",
        "Patient?_id=a",
        "%ff",
        "name=%00",
        "_id=a&_id",
    ),
    "If-Modified-Since": (
        *(
            "Mon, 23 Nov 2026 09:00:00 GMT",
            "a",
            "",
            "Mon, 99 Nov 2026 09:00:00 GMT",
            "1 Jan 1 0:0 +9999",
        ),
        *("Thu, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359", "0", "1 1 1 1 1"),
    ),
    "If-Range": (
        "a",
        "Mon, 23 Nov 2026 09:00:00 GMT",
        '"1"',
        "Thu, 01 Jan 0001 00:00:00 +2359",
        "0",
    ),
    "Prefer": (
        *("return=minimal", "return=representation", "return=OperationOutcome", "handling=strict"),
        *("respond-async", "return", ";", "handling=lenient;a=b", "return=a, handling=", "wait=-1"),
    ),
    "Range": (
        *("bytes=0-0", "bytes=-1", "bytes=5-", "bytes=0-1,1-2", "bytes=" + "9" * 30 + "-", "a", ""),
        *("bytes=2-1", "bytes=-0", "bytes=0-999999999999999999"),
    ),
    "Accept-Encoding": ("gzip", "gzip;q=0", "*", "br", "", ",", "gzip;q=a"),
    "Content-Encoding": ("identity", "gzip", "br", "", "gzip, gzip"),
    "X-Security-Context": ("Patient/a", "a", "", "Patient/\xe9"),
    "X-Request-Id": ("a", "\xe9", "a" * 100),
    "X-Provenance": ("a", "{}"),
}


def hostile_headers() -> some.SearchStrategy[dict[str, str]]:
    """Give some headers; the host is that of the client."""
    one = some.sampled_from(sorted(HEADERS)).flatmap(
        lambda name: some.tuples(some.just(name), some.sampled_from(HEADERS[name]))
    )
    return some.lists(one, max_size=3).map(dict)
