"""The one table of rules: every refusal's slug with its severity, issue code and two texts.

The table is data: ``rules/<family>.toml``, one entry a rule, whose key is the slug. The docs page
of refusals is generated from it.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import cast

from passerelle.errors.refusals import Issue, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: slug, severity, IssueType code, French and English text with ``{parts}``."""

    slug: str
    severity: Severity
    code: str
    fr: str
    en: str


@cache
def table() -> dict[str, Rule]:
    """Give every rule by its slug, read once from the packaged TOML files."""
    rules: dict[str, Rule] = {}
    folder = resources.files("passerelle.errors") / "rules"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        for slug, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if slug in rules:
                raise ValueError(f"rule {slug} stands twice in the table")
            rules[slug] = Rule(
                slug,
                cast(Severity, entry.get("severity", "error")),
                entry["code"],
                entry["fr"],
                entry["en"],
            )
    return rules


def issue(rule: str, expression: str | None = None, **parts: object) -> Issue:
    """Make the issue of a rule at a place; ``parts`` fill the braces of its texts.

    Parts are names, limits and counts; never a value of the patient's (house section 6).
    Raises KeyError for a slug that is not in the table: a fault of ours, not of the caller.
    """
    entry = table()[rule]
    return Issue(
        entry.severity,
        entry.code,
        entry.slug,
        entry.fr.format(**parts),
        entry.en.format(**parts),
        expression,
    )
