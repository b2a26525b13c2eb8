"""The two files that a person opens in an IHE_XDM archive: INDEX.HTM and README.TXT.

IHE ITI TF-2 3.32.4.1.2.2 (https://profiles.ihe.net/ITI/TF/Volume2/ITI-32.html). README.TXT is
7-bit ASCII with CRLF: accents are folded, what cannot be folded becomes ``?``.
"""

import unicodedata
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from passerelle.fhir.characters import ByCharacter

_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "’": "'"})


class Emitter(NamedTuple):
    """Who sends, and with what software."""

    structure: str
    structure_id: str
    contact: str = ""
    address: str = ""
    phone: str = ""
    software: str = "Passerelle"
    software_version: str = ""
    publisher: str = ""


def readme_txt(emitter: Emitter, documents: Sequence[str]) -> bytes:
    """Write README.TXT: emitter, software, instructions, tree."""
    lines = [
        "Emetteur :",
        "==========",
        f"    . Nom : {emitter.contact}",
        f"    . Organisme : {emitter.structure} ({emitter.structure_id})",
        f"    . Adresse : {emitter.address}",
        f"    . Telephone : {emitter.phone}",
        "",
        "Application de l'emetteur :",
        "===========================",
        f"    . Nom : {emitter.software}",
        f"    . Version : {emitter.software_version}",
        f"    . Editeur : {emitter.publisher}",
        "",
        "Instructions :",
        "==============",
        "    . Consultez les fichiers recus par messagerie securisee de sante dans votre",
        "      logiciel de professionnel de sante.",
        "",
        "Arborescence :",
        "==============",
        "    README.TXT",
        "    INDEX.HTM",
        "    IHE_XDM",
        "        SUBSET01",
        "            METADATA.XML",
        *(f"            {name}" for name in documents),
        "",
    ]
    return "\r\n".join(map(_one_line, lines)).encode("ascii")


def index_htm(emitter: Emitter) -> bytes:
    """Write INDEX.HTM: the emitter's structure and a link to README.TXT, in XHTML 1.0."""
    name = escape(" ".join(f"{emitter.structure} ({emitter.structure_id})".split()))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
        '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\r\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr" lang="fr">\r\n'
        "<head><title>IHE_XDM</title></head>\r\n"
        f"<body>\r\n<p>Emetteur : {name}</p>\r\n"
        '<p>Voir le fichier <a href="README.TXT">README.TXT</a></p>\r\n'
        "</body>\r\n</html>\r\n"
    ).encode()


def _one_line(text: str) -> str:
    """Fold a line to printable ASCII."""
    return text.translate(_LIGATURES).translate(_PRINTABLE)


def _printable(char: str) -> str:
    folded = unicodedata.normalize("NFKD", char).replace("\n", " ")
    bare = (one for one in folded if not unicodedata.combining(one))
    return "".join(one if " " <= one <= "~" else "?" for one in bare)


_PRINTABLE = ByCharacter(_printable)
