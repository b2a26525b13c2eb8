"""What happens in the sample dossier: its pathway, sharing, notes, events, forms and alerts."""

from typing import Any

SCORE = {"system": "http://loinc.org", "code": "54614-3", "display": "Mini-GDS"}


def course() -> dict[str, Any]:
    """Give the sections of the course; ``m1`` coordinates, ``m2`` is the doctor."""
    return {
        "pathways": [
            {"key": "p1", "kind": {"text": "Personne âgée à domicile"}, "start": "2026-01-12"}
        ],
        "sharing": {
            "informed": {"at": "2026-01-12", "by": "m1", "means": "oral"},
            "decisions": [
                {
                    "key": "c1",
                    "kind": "consent",
                    "scope": "dossier",
                    "at": "2026-01-12",
                    "givenBy": "person",
                    "collectedBy": "m1",
                    "means": "paper",
                }
            ],
        },
        "notes": [
            {
                "key": "n1",
                "kind": "OBS",
                "author": "m1",
                "createdAt": "2026-11-21T08:00:00+01:00",
                "text": "Refuse de sortir ce matin.",
            },
            {
                "key": "n2",
                "kind": "INST",
                "author": "m2",
                "createdAt": "2026-11-21T12:30:00+01:00",
                "text": "Passer la voir demain.",
                "replyTo": "n1",
                "urgent": True,
            },
        ],
        "events": [
            {
                "key": "e1",
                "kind": "hospital-stay",
                "title": "Hospitalisation en gériatrie",
                "start": "2026-11-14",
                "end": "2026-11-20",
                "status": "finished",
                "documents": ["d1"],
            }
        ],
        "forms": [
            {
                "key": "f1",
                "definition": "https://coordination.example/questionnaires/mini-gds|1",
                "status": "completed",
                "author": "m1",
                "authoredAt": "2026-11-22T09:00:00+01:00",
                "scores": [{"code": SCORE, "value": 2}],
            }
        ],
        "alerts": [
            {
                "key": "al1",
                "kind": "fall",
                "title": "Chute au domicile",
                "raisedAt": "2026-11-22T07:00:00+01:00",
                "raisedBy": "m1",
                "status": "active",
                "severity": "urgent",
                "recipients": ["m2"],
            }
        ],
    }
