"""The terminology operations: $expand, $validate-code, $lookup, $translate, $subsumes.

https://hl7.org/fhir/R4/terminology-service.html
"""

from passerelle.api.rest import responses
from passerelle.api.rest import terminology_inputs as inputs
from passerelle.api.rest.operation import R4_DEFINITION, Invocation, Level, Operation
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.expansion_pages import ExpandAsked
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.terminology import Named, Terms
from passerelle.fhir import json_text
from passerelle.fhir.operation_inputs import Input
from passerelle.fhir.resource import Resource
from passerelle.fhir.terminology import terminology_answers
from passerelle.fhir.terminology.concept_status import Coded
from passerelle.fhir.terminology.terminology_answers import Shown

_EVERYWHERE: frozenset[Level] = frozenset({"type", "instance"})


async def expand(repository: Repository, asked: Invocation) -> Reply:
    """Answer https://hl7.org/fhir/R4/valueset-operation-expand.html ."""
    inputs.demand_not_negative(asked, ("offset", "count"))
    how = ExpandAsked(
        text=asked.one("filter"),
        offset=asked.one("offset"),
        count=asked.one("count"),
        active_only=asked.one("activeOnly", False),
        languages=inputs.languages_of(asked),
        shown=Shown(
            asked.one("includeDesignations", False),
            asked.one("includeDefinition", False),
            tuple(asked.every("designation")),
        ),
        moment=inputs.moment(asked, None),
        pins=inputs.pins(asked),
        excluded=tuple(asked.every("exclude-system")),
    )
    terms = _terms(repository)
    if (context := inputs.context(asked)) is not None:
        named = Named(canonical=await terms.bound(*context))
    else:
        named = inputs.named(asked, "valueSet", "valueSetVersion")
    return _answer(await terms.expand(named, how))


async def validate_in_value_set(repository: Repository, asked: Invocation) -> Reply:
    """Answer https://hl7.org/fhir/R4/valueset-operation-validate-code.html ."""
    named = inputs.named(asked, "valueSet", "valueSetVersion")
    codings = inputs.codings(asked, asked.one("system"))
    how = inputs.how_of(repository, asked)
    verdict = await _terms(repository).validate_in_value_set(named, codings, how)
    return _answer(terminology_answers.validated(verdict))


async def validate_in_code_system(repository: Repository, asked: Invocation) -> Reply:
    """Answer https://hl7.org/fhir/R4/codesystem-operation-validate-code.html ."""
    coded = asked.one("coding") is not None or asked.one("codeableConcept") is not None
    is_named = asked.id or asked.one("url") or asked.one("codeSystem") is not None
    named = None if coded and not is_named else inputs.named(asked, "codeSystem", "version")
    url = named.canonical.url if named is not None and named.canonical is not None else None
    codings = inputs.codings(asked, url)
    if url is not None:
        codings = [each for each in codings if each.get("system") in (None, url)]
    how = inputs.how_of(repository, asked)
    verdict = await _terms(repository).validate_in_code_system(named, codings, how)
    return _answer(terminology_answers.validated(verdict))


async def look_up(repository: Repository, asked: Invocation) -> Reply:
    """Answer https://hl7.org/fhir/R4/codesystem-operation-lookup.html ."""
    coding = asked.one("coding") or {}
    code = inputs.only("code, coding", asked.one("code"), coding.get("code"))
    named = inputs.system_of(asked, coding.get("system"), coding.get("version"))
    properties = asked.every("property")
    how = inputs.how_of(repository, asked)
    return _answer(await _terms(repository).look_up(named, code, how, properties))


async def subsumes(repository: Repository, asked: Invocation) -> Reply:
    """Answer https://hl7.org/fhir/R4/codesystem-operation-subsumes.html ."""
    one, other = asked.one("codingA") or {}, asked.one("codingB") or {}
    code_a = inputs.only("codeA, codingA", asked.one("codeA"), one.get("code"))
    code_b = inputs.only("codeB, codingB", asked.one("codeB"), other.get("code"))
    systems = [each.get("system") for each in (one, other)]
    given = [each for each in (*systems, asked.one("system")) if each is not None]
    ways = "system, codingA.system, codingB.system"
    system = None if asked.id else inputs.only(ways, *given)
    named = inputs.system_of(asked, system, one.get("version"))
    return _answer(await _terms(repository).subsumes(named, code_a, code_b))


async def translate(repository: Repository, asked: Invocation) -> Reply:
    """Answer https://hl7.org/fhir/R4/conceptmap-operation-translate.html ."""
    source, target = inputs.canonical(asked, "source"), inputs.canonical(asked, "target")
    is_named = asked.id or asked.one("url") or asked.one("conceptMap") is not None
    named = inputs.named(asked, "conceptMap", "conceptMapVersion") if is_named else None
    codings = [
        Coded(each.get("system", ""), each["code"], each.get("display"))
        for each in inputs.codings(asked, asked.one("system"))
        if isinstance(each.get("code"), str)
    ]
    made = await _terms(repository).translate(
        named,
        codings,
        source=source,
        target=target,
        target_system=asked.one("targetsystem"),
        reverse=asked.one("reverse", False),
        dependencies=inputs.dependencies(asked),
    )
    return _answer(made)


def _terms(repository: Repository) -> Terms:
    return Terms(repository.gateway, repository.caller)


def _answer(made: Resource) -> Reply:
    return responses.fhir(json_text.encode(made))


_LANGUAGE = Input("displayLanguage", "code")
_DATE = Input("date", "dateTime")
_CODED = (
    Input("code", "code"),
    Input("display", "string"),
    Input("coding", "Coding"),
    Input("codeableConcept", "CodeableConcept"),
)

OPERATIONS = (
    Operation(
        "expand",
        R4_DEFINITION + "ValueSet-expand",
        _EVERYWHERE,
        expand,
        types=frozenset({"ValueSet"}),
        inputs=(
            Input("url", "uri"),
            Input("valueSet", "Resource"),
            Input("valueSetVersion", "string"),
            Input("filter", "string"),
            _DATE,
            Input("offset", "integer"),
            Input("count", "integer"),
            Input("includeDesignations", "boolean"),
            Input("includeDefinition", "boolean"),
            Input("activeOnly", "boolean"),
            Input("excludeNested", "boolean"),
            Input("excludeNotForUI", "boolean"),
            Input("excludePostCoordinated", "boolean"),
            _LANGUAGE,
            Input("context", "uri"),
            Input("contextDirection", "code"),
            Input("designation", "string", max=None),
            Input("exclude-system", "uri", max=None),
            Input("system-version", "uri", max=None),
            Input("check-system-version", "uri", max=None),
            Input("force-system-version", "uri", max=None),
        ),
    ),
    Operation(
        "validate-code",
        R4_DEFINITION + "ValueSet-validate-code",
        _EVERYWHERE,
        validate_in_value_set,
        types=frozenset({"ValueSet"}),
        inputs=(
            Input("url", "uri"),
            Input("valueSet", "Resource"),
            Input("valueSetVersion", "string"),
            Input("system", "uri"),
            Input("systemVersion", "string"),
            *_CODED,
            _DATE,
            Input("abstract", "boolean"),
            Input("activeOnly", "boolean"),
            _LANGUAGE,
        ),
    ),
    Operation(
        "validate-code",
        R4_DEFINITION + "CodeSystem-validate-code",
        _EVERYWHERE,
        validate_in_code_system,
        types=frozenset({"CodeSystem"}),
        inputs=(
            Input("url", "uri"),
            Input("codeSystem", "Resource"),
            Input("version", "string"),
            *_CODED,
            _DATE,
            Input("abstract", "boolean"),
            _LANGUAGE,
        ),
    ),
    Operation(
        "lookup",
        R4_DEFINITION + "CodeSystem-lookup",
        _EVERYWHERE,
        look_up,
        types=frozenset({"CodeSystem"}),
        inputs=(
            Input("code", "code"),
            Input("system", "uri"),
            Input("version", "string"),
            Input("coding", "Coding"),
            _DATE,
            _LANGUAGE,
            Input("property", "code", max=None),
        ),
    ),
    Operation(
        "subsumes",
        R4_DEFINITION + "CodeSystem-subsumes",
        _EVERYWHERE,
        subsumes,
        types=frozenset({"CodeSystem"}),
        inputs=(
            Input("codeA", "code"),
            Input("codeB", "code"),
            Input("system", "uri"),
            Input("version", "string"),
            Input("codingA", "Coding"),
            Input("codingB", "Coding"),
        ),
    ),
    Operation(
        "translate",
        R4_DEFINITION + "ConceptMap-translate",
        _EVERYWHERE,
        translate,
        types=frozenset({"ConceptMap"}),
        inputs=(
            Input("url", "uri"),
            Input("conceptMap", "Resource"),
            Input("conceptMapVersion", "string"),
            Input("code", "code"),
            Input("system", "uri"),
            Input("version", "string"),
            Input("source", "uri"),
            Input("target", "uri"),
            Input("targetsystem", "uri"),
            Input("coding", "Coding"),
            Input("codeableConcept", "CodeableConcept"),
            Input("dependency", "part", max=None),
            Input("reverse", "boolean"),
        ),
    ),
)
