"""The receipt of a push: what became of each entry, and what there is to say."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from passerelle.errors.refusals import Issue

Action: TypeAlias = Literal["created", "updated", "unchanged", "ended", "refused"]


@dataclass(frozen=True, slots=True)
class EntryReceipt:
    """One entry: where it stands in the form, the resource that it became, what was done."""

    section: str
    key: str
    action: Action
    reference: str | None = None
    version: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as it is answered."""
        made: dict[str, Any] = {"section": self.section, "key": self.key, "action": self.action}
        if self.reference is not None:
            made["reference"] = self.reference
        if self.version is not None:
            made["version"] = str(self.version)
        return made


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a push; ``status`` is 201 for a new dossier, else 200."""

    dossier: str
    etag: str
    status: int
    identity: str
    entries: tuple[EntryReceipt, ...]
    issues: tuple[Issue, ...]
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give the receipt as it is answered; texts in French, then in English."""
        return {
            "dossier": self.dossier,
            "version": self.etag,
            "dryRun": self.dry_run,
            "entries": [entry.as_json() for entry in self.entries],
            "issues": [issue_json(issue) for issue in self.issues],
            "identity": {"status": self.identity},
        }


def issue_json(issue: Issue) -> dict[str, Any]:
    """Give an issue as receipts have it: its place, then its texts in French and in English."""
    return {
        "path": issue.expression or "",
        "severity": issue.severity,
        "code": issue.code,
        "rule": issue.rule,
        "text": issue.text,
        "textEn": issue.text_en,
    }
