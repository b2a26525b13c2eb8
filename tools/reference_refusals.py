"""The page of refusals: every rule of the table, by family, with both of its texts."""

import ast
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from passerelle.errors import refusals
from passerelle.errors.refusals import PasserelleError
from passerelle.errors.rules import Rule, table
from tools.reference_markdown import anchor, page
from tools.reference_markdown import code as coded
from tools.reference_markdown import table as rows_of

PACKAGE = Path(refusals.__file__).parents[1]

FAMILIES = {
    "act": "The acts on a dossier: close, suspend, reopen, declare a death.",
    "alert": "The acknowledgement of an alert.",
    "answer": "The form of answers: parts of resources, coded bodies.",
    "agenda": "Calendars, going out and coming in.",
    "async": "Requests that are answered later.",
    "binary": "The bytes of documents.",
    "bundle": "Entries of a batch or a transaction.",
    "cda": "CDA R2 documents, read and written.",
    "cli": "The command line; told on the terminal, never over HTTP.",
    "document": "Documents as PDSm shares them: their profiles, their bytes, what they replace.",
    "dossier": "The native form of a dossier. The place is a JSON Pointer.",
    "form": "A form beside its Questionnaire. A warning when the push is lenient.",
    "http": "The request itself: address, headers, media types, size.",
    "ins": "The national identity: matricule, traits, status.",
    "json": "The text of a body, before it is a resource.",
    "mss": "Addresses and messages of secure mail (MSSanté).",
    "operation": "What an operation takes in, and what it finds.",
    "package": "FHIR packages: their archive, their contents, what they depend on.",
    "parameter": "A SearchParameter that is added to the record.",
    "patch": "A JSON Patch or a FHIRPath Patch; the place is in the patch.",
    "record": "What the record holds, and what it cannot do now.",
    "reference": "What a resource refers to, and what refers to it.",
    "search": "The parameters of a search.",
    "sending": "A document asked to be sent.",
    "settings": "The settings, told at the start of a command.",
    "structure": "The structure of a resource, as R4 4.0.1 defines it.",
    "terminology": "Code systems, value sets and concept maps, and codes looked for in them.",
    "xdm": "The IHE_XDM archive of a message.",
    "xml": "XML from outside, before it is a document.",
}
"""What each family speaks of. The tests want a line for every family."""


def write() -> str:
    """Write the page."""
    statuses = statuses_by_rule()
    rules = sorted(table().values(), key=lambda rule: rule.slug)
    families = [(name, list(found)) for name, found in groupby(rules, key=_family)]
    index = [
        (f"[{name}](#{anchor(name)})", str(len(found)), FAMILIES.get(name, ""))
        for name, found in families
    ]
    return page(
        "Refusals",
        "Every refusal carries all of its issues at once. Each issue has a rule, a place and a "
        "text in French and in English. Over HTTP it is an OperationOutcome: the rule stands in "
        "`issue.details.coding.code`, the French text in `issue.details.text`, the English one in "
        "`issue.diagnostics`, the place in `issue.expression`.",
        "`{…}` in a text is filled with a name, a limit or a count, never with a value of the "
        "person's. *HTTP* is the status of the refusals that the code raises by naming this "
        "rule; where it is –, the rule is told among the issues of a larger refusal, or as a "
        "warning, or not over HTTP.",
        "## HTTP status",
        rows_of(("HTTP", "Refusal", "IssueType of the class", "Meaning"), _classes()),
        "## Families",
        rows_of(("Family", "Rules", "What it speaks of"), index),
        *(block for name, found in families for block in _section(name, found, statuses)),
    )


def classes() -> Iterator[type[PasserelleError]]:
    """Give the classes of refusal, by status."""
    found = (value for value in vars(refusals).values() if isinstance(value, type))
    kinds = (kind for kind in found if issubclass(kind, PasserelleError))
    return iter(sorted((k for k in kinds if k is not PasserelleError), key=lambda k: k.status))


def _classes() -> Iterator[tuple[str, str, str, str]]:
    for kind in classes():
        meaning = (kind.__doc__ or "").split(" (")[0]
        yield str(kind.status), coded(kind.__name__), coded(kind.code), meaning


def _family(rule: Rule) -> str:
    return rule.slug.partition(".")[0]


def _section(name: str, rules: list[Rule], statuses: Mapping[str, set[int]]) -> Iterator[str]:
    yield f"## {name}"
    yield FAMILIES.get(name, "")
    rows = (
        (
            coded(rule.slug),
            rule.severity,
            coded(rule.code),
            ", ".join(map(str, sorted(statuses.get(rule.slug, ())))) or "–",
            rule.fr,
            rule.en,
        )
        for rule in rules
    )
    yield rows_of(("Rule", "Severity", "IssueType", "HTTP", "French", "English"), rows)


def statuses_by_rule() -> dict[str, set[int]]:
    """Find in the code which refusals are raised with which rule: ``Invalid(issue("slug"…))``."""
    status = {kind.__name__: kind.status for kind in classes()}
    found: dict[str, set[int]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                for slug in _rules_in(node) if node.func.id in status else ():
                    found.setdefault(slug, set()).add(status[node.func.id])
    return found


def _rules_in(call: ast.Call) -> Iterator[str]:
    for argument in call.args:
        for node in ast.walk(argument):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "issue"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value)
