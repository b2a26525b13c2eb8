"""What the terminology operations are asked about: one thing, named in one of several ways.

https://hl7.org/fhir/R4/terminology-service.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from passerelle.api.rest.operation import Invocation
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.terminology import Named
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.search.date_interval import interval
from passerelle.fhir.terminology.canonicals import Canonical, parse
from passerelle.fhir.terminology.concept_status import Coded
from passerelle.fhir.terminology.displays import languages
from passerelle.fhir.terminology.pinned_versions import Pins, by_system
from passerelle.fhir.terminology.validation import Asked


def named(asked: Invocation, resource: str, version: str) -> Named:
    """Give what is asked about: the instance, the resource handed in, or the canonical."""
    given, url = asked.one(resource), asked.one("url")
    ways = f"id, url, {resource}"
    chosen = [each for each in (asked.id or None, given, url) if each is not None]
    if len(chosen) > 1:
        raise Invalid(issue("terminology.given-twice", ways=ways))
    if asked.id:
        return Named(key=asked.key)
    if given is not None:
        return Named(resource=given)
    if url is None:
        raise Invalid(issue("terminology.given-not", ways=ways))
    canonical = parse(url)
    return Named(canonical=Canonical(canonical.url, asked.one(version) or canonical.version))


def context(asked: Invocation) -> tuple[Canonical, str] | None:
    """Give the definition and the element in it that ``context`` names: ``url#Type.path``.

    Raises Invalid when it is named otherwise, or beside another way.
    """
    text = asked.one("context")
    if text is None:
        return None
    others = (asked.id or None, asked.one("valueSet"), asked.one("url"))
    if any(each is not None for each in others):
        raise Invalid(issue("terminology.given-twice", ways="id, url, valueSet, context"))
    url, _, path = text.partition("#")
    if not url or not path:
        raise Invalid(issue("terminology.context-malformed"))
    return parse(url), path


def pins(asked: Invocation) -> Pins:
    """Give the versions of code systems that the asker fixes."""
    return Pins(
        by_system(asked.every("system-version")),
        by_system(asked.every("check-system-version")),
        by_system(asked.every("force-system-version")),
    )


def dependencies(asked: Invocation) -> list[tuple[str, Coded]]:
    """Give the values of other elements: parts ``element`` and ``concept``."""
    found: list[tuple[str, Coded]] = []
    for parts in asked.every("dependency"):
        by_name = {each.get("name"): each for each in parts}
        element = by_name.get("element", {}).get("valueUri", "")
        concept = by_name.get("concept", {}).get("valueCodeableConcept", {})
        for each in concept.get("coding", ()):
            found.append((element, Coded(each.get("system", ""), each.get("code", ""))))
    return found


def system_of(asked: Invocation, system: str | None, version: str | None) -> Named:
    """Give the code system asked about: the instance, ``system``, or that of a coding."""
    if asked.id:
        return Named(key=asked.key)
    url = only("system, coding.system", asked.one("system"), system)
    canonical = parse(url)
    wanted = asked.one("version") or version or canonical.version
    return Named(canonical=Canonical(canonical.url, wanted))


def canonical(asked: Invocation, name: str) -> Canonical | None:
    """Give the canonical of an input, or None."""
    text = asked.one(name)
    return None if text is None else parse(text)


def only(ways: str, *given: Any) -> str:
    """Give the one of several ways to say the same that is used. Raises Invalid."""
    said = {each for each in given if isinstance(each, str)}
    if len(said) != 1:
        rule = "terminology.given-twice" if said else "terminology.given-not"
        raise Invalid(issue(rule, ways=ways))
    return said.pop()


def codings(asked: Invocation, system: str | None) -> Sequence[Mapping[str, Any]]:
    """Give the codings to look at: ``code``, ``coding`` or ``codeableConcept``. Raises Invalid."""
    code, coding, concept = (asked.one(each) for each in ("code", "coding", "codeableConcept"))
    given = [each for each in (code, coding, concept) if each is not None]
    if len(given) != 1:
        rule = "terminology.given-twice" if given else "terminology.given-not"
        raise Invalid(issue(rule, ways="code, coding, codeableConcept"))
    if code is not None:
        made = {"code": code, "system": system, "display": asked.one("display")}
        return [{name: value for name, value in made.items() if value is not None}]
    listed = [coding] if coding is not None else concept.get("coding", ())
    return [each for each in listed if isinstance(each, dict)]


def how_of(repository: Repository, asked: Invocation) -> Asked:
    """Give how codes are to be looked at."""
    now = repository.gateway.clock()
    return Asked(
        moment=moment(asked, now) or now,
        languages=languages_of(asked),
        active_only=asked.one("activeOnly", False),
        abstract=asked.one("abstract", False),
    )


def moment(asked: Invocation, otherwise: int | None) -> int | None:
    """Give the instant that ``date`` begins with."""
    date = asked.one("date")
    found = None if date is None else interval(date)
    return otherwise if found is None else found.low


def languages_of(asked: Invocation) -> tuple[str, ...]:
    """Give the languages of displays: ``displayLanguage``, else those of the request."""
    return languages(asked.one("displayLanguage") or asked.request.header(b"accept-language"))


def demand_not_negative(asked: Invocation, names: Sequence[str]) -> None:
    """Raises Invalid for numbers below zero."""
    faults = [
        issue("operation.input-malformed", "Parameters.parameter", name=name, kind="unsignedInt")
        for name in names
        if asked.one(name, 0) < 0
    ]
    if faults:
        raise Invalid(*faults)
