"""The white list of MSSanté domains: who may be written to.

Namespace ``https://listeblanche.mssante.fr/schema``: ``DateDeGeneration``, then ``Domaine``
elements with their ``Nom``. Domains are compared exactly, as lower-case A-labels (IDNA).
https://espacedeconfiance.mssante.fr/listeblanchemssante.xml
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO

from lxml import etree

from passerelle.errors.refusals import Issue, PasserelleError, TooLarge, Unprocessable
from passerelle.errors.rules import issue
from passerelle.messaging.addresses import a_label, check_address, domain_of

SIZE_MAX_BYTES = 64_000_000
"""The real list holds some 9,000 domains; this is ten times what they could weigh."""

DOMAINS_MAX = 200_000
STALE_AFTER = timedelta(days=2)
NAMESPACE = "https://listeblanche.mssante.fr/schema"

_DATE_FORMS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
"""How DateDeGeneration may be written, beside ISO 8601."""


@dataclass(frozen=True, slots=True)
class WhiteList:
    """The domains of the circle of trust, and when the list was made.

    ``skipped`` counts the entries whose name is not a host name: nothing is sent there.
    """

    generated_at: datetime | None
    domains: frozenset[str] = field(repr=False)
    skipped: int = 0

    def lists(self, address: str) -> bool:
        """Tell whether an address may be written to; what is not an address may not."""
        return domain_of(address) in self.domains

    def check(self, address: str, expression: str | None = None) -> list[Issue]:
        """Give what keeps an address from being written to; none: it may."""
        faults = check_address(address, expression)
        if not faults and not self.lists(address):
            faults.append(issue("mss.recipient-not-listed", expression))
        return faults

    def stale(self, now: datetime, *, after: timedelta = STALE_AFTER) -> bool:
        """Tell whether the list is older than it should be, or of unknown age."""
        return self.generated_at is None or now - self.generated_at > after


def parse(raw: bytes) -> WhiteList:
    """Read the XML of the list.

    Raises TooLarge (mss.white-list-too-large), or Unprocessable when it is not such a document
    (mss.white-list-unreadable) or names no domain (mss.white-list-empty: an empty list would
    stop every mail, so that the caller keeps its last good copy).
    """
    if len(raw) > SIZE_MAX_BYTES:
        raise TooLarge(issue("mss.white-list-too-large", limit=SIZE_MAX_BYTES))
    root = _root(raw)
    names = [text.strip() for text in _texts(root, "Nom") if text.strip()]
    if len(names) > DOMAINS_MAX:
        raise _unreadable()
    labels = [a_label(name) for name in names]
    domains = frozenset(label for label in labels if label is not None)
    if not domains:
        raise Unprocessable(issue("mss.white-list-empty"))
    generated = next(_texts(root, "DateDeGeneration"), "")
    return WhiteList(_instant(generated.strip()), domains, labels.count(None))


def _root(raw: bytes) -> "etree._Element":
    """Parse without entities, DTD or network; a document type alone is a reason to refuse."""
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    try:
        tree = etree.parse(BytesIO(raw), parser)
    except etree.XMLSyntaxError as error:
        raise _unreadable() from error
    root = tree.getroot()
    if tree.docinfo.internalDTD is not None or etree.QName(root).namespace != NAMESPACE:
        raise _unreadable()
    return root


def _texts(root: "etree._Element", name: str) -> Iterator[str]:
    for element in root.iter(f"{{{NAMESPACE}}}{name}"):
        yield element.text or ""


def _instant(text: str) -> datetime | None:
    """Read the date of the list; one without offset is taken as UTC (hours do not matter here)."""
    for form in _DATE_FORMS:
        with suppress(ValueError):
            return datetime.strptime(text, form).replace(tzinfo=UTC)
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _unreadable() -> PasserelleError:
    return Unprocessable(issue("mss.white-list-unreadable"))
