"""The discharge letter of the demonstration: a PDF/A-1b made from plain parts.

Lettre de liaison, article R. 1112-1-2 of the Code de la santé publique
(https://www.legifrance.gouv.fr/codes/article_lc/LEGIARTI000032922482); traits in clear on the
first page, the matricule only of a qualified identity (RNIV, EXI DIF 02). Made up: no such stay
ever was.
"""

import json
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from importlib import resources

_MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


@dataclass(frozen=True, slots=True)
class LetterPerson:
    """The person that the letter is about; ``matricule`` only when the identity is qualified."""

    birth_name: str
    birth_first_names: str
    sex: str  # M, F
    birth_date: str  # as it is to be read: 28/03/1979
    used_name: str | None = None
    birth_place: str | None = None
    matricule: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """All that the page says."""

    person: LetterPerson
    date: date
    structure: str
    structure_lines: tuple[str, ...]
    town: str
    title: str
    salutation: str
    sections: tuple[tuple[str, str], ...]
    closing: str
    author: str
    author_role: str
    footer: str


DOMINIQUE = LetterPerson(
    birth_name="PAT-TROIS",
    birth_first_names="DOMINIQUE MARIE-LOUISE",
    sex="F",
    birth_date="28/03/1979",
    used_name="PAT-TROIS Dominique",
    birth_place="51215",
    matricule="2 79 03 51 215 189 89 (NIR de test)",
)
"""The published test identity, qualified."""

ELEONORE = LetterPerson(
    birth_name="D'ALMEIDA",
    birth_first_names="ÉLÉONORE",
    sex="F",
    birth_date="07/1941",
)
"""An invented person of provisional identity: no matricule to show."""


def letter_of(person: LetterPerson) -> Letter:
    """Give the sample letter about a person."""
    return Letter(
        person=person,
        date=date(2026, 11, 20),
        structure="Centre hospitalier de l'Autan (démonstration)",
        structure_lines=(
            "Service de médecine interne et gériatrie",
            "1, place de l'Œuvre, 81000 Albi",
            "Téléphone : 05 63 00 00 00",
        ),
        town="Albi",
        title="Lettre de liaison à la sortie d'hospitalisation",
        salutation="Chère consœur, cher confrère,",
        sections=(
            (
                "Motif et dates du séjour",
                "Hospitalisation du 14 au 20 novembre 2026, après une chute à domicile sans perte "
                "de connaissance, dans un contexte de dénutrition et d'isolement.",
            ),
            (
                "Synthèse médicale",
                "Pas de fracture à l'imagerie. Hypotension orthostatique rapportée au traitement "
                "diurétique, diminué de moitié avec bonne tolérance. Albumine à 31 g/l à l'entrée "
                "; compléments oraux débutés. Bilan cognitif rassurant (MMSE 27/30).",
            ),
            (
                "Traitement à la sortie",
                "Furosémide 20 mg le matin (au lieu de 40 mg) ; ramipril 2,5 mg le soir, inchangé "
                "; cholécalciférol 100 000 UI tous les trois mois ; compléments hyperprotéinés, "
                "deux par jour pendant deux mois.",
            ),
            (
                "Suites à organiser",
                "Kinésithérapie de l'équilibre, deux séances par semaine. Demande d'APA en cours "
                "avec le dispositif d'appui à la coordination. Poids et tension debout à contrôler "
                "sous quinze jours ; ionogramme sanguin le 4 décembre. Aucun résultat en attente.",
            ),
        ),
        closing="Bien confraternellement,",
        author="Docteur Sophie MARTIN",
        author_role="Médecin, service de médecine interne et gériatrie",
        footer="Document de démonstration : personne, séjour et traitement fictifs.",
    )


def sample_letter(person: LetterPerson = DOMINIQUE) -> bytes:
    """Give the sample letter about a person as a PDF/A-1b."""
    return letter_pdf(letter_of(person))


def letter_pdf(letter: Letter) -> bytes:
    """Set a letter as a PDF/A-1b; the same letter always gives the same bytes.

    Only the fonts inside the typesetter are used: no font of the machine, no network, no file.
    """
    import typst  # 37 MB of library: only for those who make letters

    template = resources.files("passerelle.demo").joinpath("letter.typ").read_bytes()
    made = typst.compile(
        template,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"letter": json.dumps(_data(letter), ensure_ascii=False)},
        pdf_standards=["a-1b"],
        timestamp=int(datetime.combine(letter.date, datetime.min.time(), UTC).timestamp()),
    )
    assert isinstance(made, bytes)
    return made


def _data(letter: Letter) -> dict[str, object]:
    """Give the letter as the template reads it."""
    day = letter.date
    spelt = f"{'1er' if day.day == 1 else day.day} {_MONTHS[day.month - 1]} {day.year}"
    return {
        **{field.name: getattr(letter, field.name) for field in fields(letter)},
        "person": None,
        "date": [day.year, day.month, day.day],
        "place_and_date": f"{letter.town}, le {spelt}",
        "traits": _traits(letter.person),
    }


def _traits(person: LetterPerson) -> list[tuple[str, str]]:
    """Give the block of traits, line by line, those that are known."""
    lines = (
        ("Nom de naissance", person.birth_name),
        ("Prénoms de naissance", person.birth_first_names),
        ("Nom et prénom utilisés", person.used_name),
        ("Sexe", {"M": "masculin", "F": "féminin"}.get(person.sex, "inconnu")),
        ("Date de naissance", person.birth_date),
        ("Lieu de naissance (code INSEE)", person.birth_place),
        ("Matricule INS", person.matricule),
    )
    return [(name, value) for name, value in lines if value]
