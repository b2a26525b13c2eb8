"""What resources and searches are drawn from: few values, so that they meet often."""

TYPES = (
    *("Patient", "Observation", "Encounter", "Practitioner", "PractitionerRole", "Organization"),
    *("Location", "Task", "List", "CareTeam", "Condition", "DocumentReference", "ChargeItem"),
    *("RiskAssessment", "Group", "DiagnosticReport", "MedicationRequest", "PlanDefinition"),
    *("ValueSet", "Appointment", "ServiceRequest", "RelatedPerson", "EpisodeOfCare", "Goal"),
    *("MolecularSequence", "ImmunizationRecommendation", "Media", "Procedure", "Composition"),
)
"""Those that are met in most worlds; any other type may come too."""

RARE = ("RiskAssessment", "ChargeItem", "MolecularSequence", "Location", "Location", "Group")
"""Those of the kinds that few types have: numbers, places."""

WORDS = (
    *("Éléonore", "ELEONORE", "D'ALMEIDA", "d’Almeida", "Jean-Pierre", "Jean Pierre", "de La Tour"),
    *("Le Gall", "Lefèvre", "Œuvre", "Dupont", "du Pont", "Élé", "Saint-Étienne", "3 rue d'Assas"),
    *("Dupont, Jean|Paul", "1$2 a\\b", "Stra\u00dfe", "E\u0301lodie  Marie\u2011Lou", "\u00c6sop"),
)
DATES = (
    *("1950", "1950-05", "1950-05-03", "2025-12-31", "2026", "2026-03", "2026-03-28"),
    *("2026-03-29", "2026-03-30", "2026-10-25"),
)
INSTANTS = (
    *("2026-03-28T23:30:00+01:00", "2026-03-28T23:30:00Z", "2026-03-29T01:00:00Z"),
    *("2026-03-29T00:30:00+02:00", "2026-10-25T00:30:00Z", "2026-03-29T10:15:07.250Z"),
    *("1950-05-03T00:00:00+01:00", "2026-01-01T00:00:00Z", "2025-12-31T23:30:00-05:00"),
)
NUMBERS = (0, 1, 2, 5, 100, 0.5, 5.4, 5.40, 99.5, 100.4, 1.25, -3)
UNITS = ("mg", "g", "kg", "mm[Hg]", "cm", "Cel")
UCUM = "http://unitsofmeasure.org"
SYSTEMS = ("urn:a", "urn:b", None)
CODES = ("a", "b", "c", "a/b", "A", "a|b,c")
URIS = (
    *("http://e.fr/a", "http://e.fr/a/b", "http://e.fr/a/b/c", "http://e.fr/a|1.0", "urn:oid:1.2"),
    *("http://e.fr/ab", "http://e.fr/a/b|2"),
)
SIZE = 4
"""Resources of a type."""
