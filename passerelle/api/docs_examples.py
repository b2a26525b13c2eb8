"""What the first page shows of the FHIR base: questions that can be asked by a click.

Each is answered by a gateway with nothing in it too.
"""

EXAMPLES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Chercher",
        (
            ("fhir/Patient?name:contains=du&_sort=family,-birthdate", "un nom qui contient « du »"),
            ("fhir/Patient?birthdate=ge1940&birthdate=lt1960", "nés de 1940 à 1959"),
            ("fhir/Patient?gender:not=male&_elements=name,birthDate", "deux éléments seulement"),
            ("fhir/Patient?_filter=family sw 'd' and birthdate lt 1970", "une expression _filter"),
            (
                "fhir/Patient?_lastUpdated=ge2026&_total=accurate",
                "changés depuis 2026, avec le total",
            ),
            ("fhir/Patient?_summary=count", "combien de patients"),
        ),
    ),
    (
        "Suivre les liens",
        (
            ("fhir/CareTeam?patient.family=durand", "les cercles des Durand (chaîne)"),
            ("fhir/Patient?_has:Appointment:patient:status=booked", "qui a un rendez-vous (_has)"),
            ("fhir/CareTeam?_include=CareTeam:participant", "un cercle et ses membres (_include)"),
            ("fhir/Patient?_revinclude=DocumentReference:subject", "et leurs documents"),
            ("fhir?_type=Patient,Practitioner&_count=10", "plusieurs types à la fois"),
        ),
    ),
    (
        "L'histoire",
        (
            ("fhir/_history?_count=10", "les dix derniers changements"),
            ("fhir/Patient/_history?_since=2026-01-01T00:00:00Z", "ceux des patients depuis 2026"),
            ("fhir/Patient/_history?_sort=_lastUpdated", "du plus ancien au plus récent"),
        ),
    ),
    (
        "Les opérations",
        (
            ("fhir/$meta", "étiquettes et profils en usage"),
            ("fhir/Patient/$meta", "ceux des patients"),
            ("fhir/Patient/$everything?_count=20", "tout de tous les patients, page à page"),
        ),
    ),
    (
        "En XML",
        (
            ("fhir/metadata?_format=xml", "ce que la passerelle sait faire"),
            ("fhir/Patient?_format=xml&_count=2", "deux patients"),
            ("fhir/_history?_format=xml&_count=2", "deux changements"),
        ),
    ),
    (
        "Décrire",
        (
            ("fhir/metadata", "CapabilityStatement"),
            ("openapi.json", "OpenAPI 3.1 de toutes les adresses"),
            ("openapi.json?type=Patient", "OpenAPI d'un type, en entier"),
            ("openapi.json?type=Patient,Observation,DocumentReference", "et de plusieurs"),
        ),
    ),
)
"""Title, then addresses that can be opened as they stand, with what they ask."""

FORM = """<form action="fhir/Patient" method="get">
<label>Nom <input name="family" placeholder="durand"></label>
<label>Prénom <input name="given" placeholder="alix"></label>
<label>Né(e) <input name="birthdate" placeholder="1941-07"></label>
<label>Forme <select name="_format"><option>json</option><option>xml</option></select></label>
<input type="hidden" name="_pretty" value="true">
<button>Chercher un patient</button>
</form>"""
"""A search without a script: a field that is left empty asks for nothing."""
