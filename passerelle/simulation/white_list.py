"""The white list that the simulated operator publishes.

https://espacedeconfiance.mssante.fr/listeblanchemssante.xml
"""

from collections.abc import Iterable
from datetime import datetime
from xml.sax.saxutils import escape

NAMESPACE = "https://listeblanche.mssante.fr/schema"


def white_list_xml(domains: Iterable[str], *, generated_at: datetime) -> bytes:
    """Write a white list that holds these domains."""
    at = generated_at.isoformat(timespec="seconds")
    entries = "".join(_entry(escape(domain), at) for domain in domains)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ListeBlanche xmlns="{NAMESPACE}">\n'
        f"  <DateDeGeneration>{at}</DateDeGeneration>\n{entries}</ListeBlanche>\n"
    ).encode()


def _entry(domain: str, at: str) -> str:
    return (
        "  <Domaine>\n"
        f"    <Nom>{domain}</Nom>\n"
        f"    <Description>Domaine de démonstration {domain}</Description>\n"
        f"    <DNCertificatOperateur>CN={domain},O=Démonstration,C=FR</DNCertificatOperateur>\n"
        f"    <ResponsableContact>responsable@{domain}</ResponsableContact>\n"
        f"    <SupportContact>support@{domain}</SupportContact>\n"
        f"    <DateMAJ>{at}</DateMAJ>\n"
        "  </Domaine>\n"
    )
