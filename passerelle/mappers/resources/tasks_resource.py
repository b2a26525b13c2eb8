"""A task of the dossier to and from Task: base R4, as no generic French profile exists.

https://hl7.org/fhir/R4/task.html
"""

from collections.abc import Mapping
from typing import Any

from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier import Entry
from passerelle.mappers.native.dossier_naming import resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources.audience_labels import (
    audience_extensions,
    labels,
    native_audience,
)
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import (
    Element,
    codeable,
    filled,
    native_code,
    own,
    own_value,
    pick,
)


def to_fhir(task: Mapping[str, Any], entries: Entries) -> Resource:
    """Make the Task of a native task."""
    names, members, audience = entries.names, entries.members, task.get("audience")
    identifier = names.identifier("tasks", task["key"])
    made = resource(names, "Task", identifier, None, tagged=True)
    text, parent, about = task.get("text"), task.get("parent"), task.get("about")
    return filled(
        {
            **made,
            "meta": filled({**made["meta"], "security": labels(audience)}),
            "extension": [
                *([own("task-text", valueString=text)] if text else ()),
                *audience_extensions(audience, members),
            ],
            "identifier": [identifier],
            "partOf": [entries.to("tasks", parent)] if parent else None,
            "status": task["status"],
            "intent": "order",
            "priority": task.get("priority"),
            "code": codeable(task.get("kind")),
            "description": task["title"],
            "focus": entries.about(about) if about else None,
            "for": members.to("person"),
            "executionPeriod": filled({"end": task.get("doneAt")}),
            "authoredOn": task["createdAt"],
            "requester": members.to(task["requester"]),
            "owner": members.to(task.get("owner")),
            "note": [_note(comment, entries) for comment in task.get("comments", ())],
            "restriction": filled({"period": filled({"end": task.get("due")})}),
        }
    )


def from_fhir(key: str, task: Resource, reading: Reading) -> Entry:
    """Read a native task from its Task."""
    parent = next(iter(task.get("partOf", ())), None)
    return filled(
        {
            "key": key,
            "title": task.get("description"),
            "text": own_value(task, "task-text"),
            "kind": native_code(task.get("code")),
            "status": task["status"],
            "priority": task.get("priority"),
            "createdAt": task.get("authoredOn"),
            "due": task.get("restriction", {}).get("period", {}).get("end"),
            "doneAt": task.get("executionPeriod", {}).get("end"),
            "requester": reading.member(task.get("requester")),
            "owner": reading.member(task.get("owner")),
            "about": reading.any_entry(task.get("focus")),
            "parent": reading.entry("tasks", parent),
            "comments": [_native_comment(note, reading) for note in task.get("note", ())],
            "audience": native_audience(task.get("meta", {}).get("security", ()), task, reading),
        }
    )


def _note(comment: Mapping[str, Any], entries: Entries) -> Element:
    """Make the Annotation of a comment: R4 admits no PractitionerRole as its author."""
    by = comment["by"]
    author = entries.members.to(by)
    if entries.members.type_of(by) == "PractitionerRole":
        return {
            "extension": [own("annotation-author", valueReference=author)],
            "authorReference": entries.practitioner(by),
            "time": comment["at"],
            "text": comment["text"],
        }
    return {"authorReference": author, "time": comment["at"], "text": comment["text"]}


def _native_comment(note: Mapping[str, Any], reading: Reading) -> Element:
    author = own_value(note, "annotation-author") or note.get("authorReference")
    return filled({"by": reading.member(author), "at": note.get("time"), **pick(note, "text")})
