"""The forms of a push beside their Questionnaires, where the record has them.

https://hl7.org/fhir/R4/questionnaireresponse.html : a completed response is to fit its
Questionnaire. A definition is found by its canonical, the newest without a version.
"""

from dataclasses import replace

from passerelle.dossiers.exchange.push_places import Places
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.terminology import Named, Terms
from passerelle.dossiers.turns import give_way
from passerelle.errors.refusals import Issue, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource
from passerelle.fhir.search.query import parse
from passerelle.fhir.terminology import canonicals
from passerelle.fhir.terminology.canonicals import Canonical
from passerelle.fhir.terminology.members import Expansion
from passerelle.fhir.terminology.validation import Asked, in_value_set
from passerelle.mappers.native.dossier import Dossier, Entry
from passerelle.mappers.native.dossier_faults import pointer
from passerelle.mappers.native.form_contents import Fault
from passerelle.mappers.native.form_definition import Bound, compare
from passerelle.store.caller import SYSTEM, Caller

TOGETHER = 20
"""Definitions that are looked for at once."""

VERSIONS_MAX = 50
"""Questionnaires of one canonical that are looked at, on average."""

COMPLETE = ("completed", "amended")
"""Statuses of a form that is compared: one in progress may lack anything."""

_ESCAPED = str.maketrans({char: "\\" + char for char in "\\,|$"})


async def form_issues(
    gateway: Gateway, caller: Caller, pushed: Dossier, places: Places, *, strict: bool
) -> tuple[Issue, ...]:
    """Say what is to be said of the forms of a push.

    What does not fit a definition is an error when ``strict``, else a warning: the answers are
    what was said to the person, and are kept.
    """
    forms = pushed.section("forms")
    found = await _questionnaires(gateway, {canonicals.parse(f["definition"]) for f in forms})
    terms = Terms(gateway, caller)
    said: list[Issue] = []
    for number, form in enumerate(forms):
        await give_way(number)
        canonical = canonicals.parse(form["definition"])
        definition = canonicals.best(found.get(canonical.url, ()), canonical.version)
        if definition is None:
            place = places.of("forms", form["key"]) + "/definition"
            said.append(issue("form.definition-unknown", place))
        elif form["status"] in COMPLETE:
            for rule, at, parts in await _faults(terms, form, definition, gateway.clock()):
                place = places.of("forms", form["key"]) + pointer(at)
                fault = issue(rule, place, **parts)
                said.append(fault if strict else replace(fault, severity="warning"))
    return tuple(said)


async def _questionnaires(gateway: Gateway, wanted: set[Canonical]) -> dict[str, list[Resource]]:
    """Give the Questionnaires by their address. Definitions speak of nobody."""
    urls = sorted({each.url for each in wanted})
    found: dict[str, list[Resource]] = {}
    for start in range(0, len(urls), TOGETHER):
        some = [url.translate(_ESCAPED) for url in urls[start : start + TOGETHER]]
        pairs = [("url", ",".join(some)), ("_count", str(TOGETHER * VERSIONS_MAX))]
        query = parse("Questionnaire", pairs, strict=True, base_url=gateway.base_url)
        page = await gateway.store.search(query, SYSTEM)
        for each in page.matches:
            definition = json_text.decode(each.body or b"{}")
            found.setdefault(str(definition.get("url")), []).append(definition)
    return found


async def _faults(terms: Terms, form: Entry, definition: Resource, moment: int) -> list[Fault]:
    compared = compare(form, definition)
    said = list(compared.faults)
    sets: dict[str, Expansion | None] = {}
    for bound in compared.bound:
        if bound.value_set not in sets:
            sets[bound.value_set] = await _members(terms, bound.value_set, definition)
        if not _holds(sets[bound.value_set], bound, moment):
            said.append(("form.not-an-option", bound.place, {}))
    return said


async def _members(terms: Terms, canonical: str, definition: Resource) -> Expansion | None:
    """Give the members of a value set; None where nobody can tell."""
    named = Named(canonical=canonicals.parse(canonical))
    if canonical.startswith("#"):
        held = (one for one in definition.get("contained", ()) if one.get("id") == canonical[1:])
        inner = next(held, None)
        if inner is None:
            return None
        named = Named(resource=inner)
    try:
        return (await terms.value_set(named))[1]
    except PasserelleError:  # not here, or too large to be told: the answer is taken
        return None


def _holds(expansion: Expansion | None, bound: Bound, moment: int) -> bool:
    """Tell whether a coding is a member, or nobody can tell."""
    if expansion is None or expansion.unresolved:
        return True
    code, system = bound.value["code"], bound.value["system"]
    return in_value_set(expansion, code, system, None, Asked(moment)).result
