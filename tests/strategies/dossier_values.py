"""Values of which native dossiers are drawn: texts, keys, dates, codes, audiences."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from passerelle.mappers.native.dossier import Entry

WORDS = ("DUPONT", "Élodie", "d'Aÿ", "L'Haÿ-les-Roses", "Œuvre", "a b", "渡辺", "Zoë 👩‍⚕️", "x|y/z%")

_LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff")
_VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x17F, exclude_categories=("Cc", "Zs"))

lines = st.sampled_from(WORDS) | st.text(_LETTERS, min_size=1, max_size=12).filter(
    lambda text: bool(text.strip())
)
names = lines.filter(lambda line: any(sign.isalnum() for sign in line))
"""Names of persons: of apostrophes alone nothing is left to compare."""

texts = lines | lines.map(lambda line: f"{line}\n\t{line}\r\nfin.")
tokens = st.lists(st.text(_VISIBLE, min_size=1, max_size=5), min_size=1, max_size=2).map(" ".join)
keys = (st.sampled_from(("1", "a/b", "a%2Fb", "d 1", "m1")) | tokens).filter(
    lambda key: key != "person"
)
systems = st.sampled_from(
    ("https://source.example/a", "urn:oid:1.2.3", "https://coordination.example/dossiers")
)
languages = st.sampled_from(("fr", "fr-FR", "ar", "langue des signes", "créole"))


def optional(required: dict[str, Any], **fields: st.SearchStrategy[Any]) -> Any:
    """Objects with the required fields and any of the others."""
    return st.fixed_dictionaries(required, optional=fields)


@st.composite
def years_months_days(draw: st.DrawFn) -> str:
    day = draw(st.dates(min_value=_date(1900), max_value=_date(2040))).isoformat()
    return day[: draw(st.sampled_from((10, 10, 7, 4)))]


@st.composite
def instants(draw: st.DrawFn) -> str:
    moment = draw(st.datetimes(min_value=_moment(2000), max_value=_moment(2040)))
    fraction = draw(st.sampled_from(("", ".1", ".120", ".000000", ".123456789")))
    offset = draw(st.sampled_from(("Z", "+01:00", "+02:00", "-04:00", "+00:00", "+11:00")))
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + offset


def _date(year: int) -> date:
    return date(year, 1, 1)


def _moment(year: int) -> datetime:
    return datetime(year, 1, 1)  # noqa: DTZ001


whens = instants() | years_months_days()


@st.composite
def codes(draw: st.DrawFn, *of: str) -> Entry:
    system = draw(st.sampled_from(of) if of else systems)
    coded = {"system": system, "code": draw(tokens)}
    form = draw(st.sampled_from(("coded", "text", "both", "shown")))
    if form == "text":
        return {"text": draw(texts)}
    if form == "both":
        return {**coded, "text": draw(texts)}
    return {**coded, "display": draw(lines)} if form == "shown" else coded


@st.composite
def periods(draw: st.DrawFn, *, closed: bool | None = None) -> Entry:
    start = draw(whens)
    closed = draw(st.booleans()) if closed is None else closed
    return {"start": start, "end": "2041-05"} if closed else {"start": start}


def audiences(references: Any) -> Any:
    return optional(
        {},
        hiddenFrom=st.lists(
            st.sampled_from(
                (
                    "INVISIBLE_PATIENT",
                    "INVISIBLE_REPRESENTANTS_LEGAUX",
                    "MASQUE_PS",
                    "MASQUE_PSOCIAL",
                    "MASQUE_PT",
                )
            ),
            unique=True,
        ),
        onlyFor=st.lists(references, min_size=1, max_size=2),
        confidentiality=st.sampled_from(("N", "R", "V")),
    )


outsides = st.recursive(
    st.booleans()
    | st.none()
    | st.integers(-9, 10**15)
    | texts
    | st.sampled_from((0.5, 2.25)).map(str).map(Decimal),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2)
        | st.dictionaries(lines, inner, min_size=1, max_size=2)
    ),
    max_leaves=4,
)
"""JSON of nobody's shape, without what the normal form leaves out."""
