"""Where the forms of a dossier go in FHIR."""

from tools.dossier_field import Field

FORMS = (
    Field("forms[].key", ("QuestionnaireResponse.identifier",)),
    Field("forms[].definition", ("QuestionnaireResponse.questionnaire",)),
    Field(
        "forms[].title",
        ("QuestionnaireResponse._questionnaire.extension(display)",),
        "the extension of R4 for the title of what a canonical names",
    ),
    Field(
        "forms[].status",
        ("QuestionnaireResponse.status", "Observation.status"),
        "of a score: in-progress is `preliminary`, completed `final`",
    ),
    Field("forms[].author", ("QuestionnaireResponse.author", "Observation.performer")),
    Field(
        "forms[].authoredAt", ("QuestionnaireResponse.authored", "Observation.effectiveDateTime")
    ),
    Field(
        "forms[].scores[].code",
        ("Observation.code", "QuestionnaireResponse.extension(form-score)"),
        "one Observation each, of category `survey`, `derivedFrom` the response",
    ),
    Field("forms[].scores[].value", ("Observation.valueQuantity.value",), "in `{score}` of UCUM"),
    Field("forms[].answers[].link", ("QuestionnaireResponse.item.linkId",)),
    Field("forms[].answers[].text", ("QuestionnaireResponse.item.text",)),
    Field(
        "forms[].answers[].values[]",
        ("QuestionnaireResponse.item.answer",),
        "a text is `valueString`, true and false `valueBoolean`, a whole number of 32 bits "
        "`valueInteger`, another number `valueDecimal`; `{system, code}` is `valueCoding`, "
        "`{value, unit}` `valueQuantity`, `{date}`, `{dateTime}`, `{time}`, `{uri}`, `{decimal}` "
        "(a whole one) and `{entry}` (a reference) the element of that name",
    ),
    Field(
        "forms[].answers[].items[]",
        ("QuestionnaireResponse.item.item", "QuestionnaireResponse.item.answer.item"),
        "below the first answer of a question that is answered",
    ),
    Field(
        "forms[].audience.hiddenFrom[]",
        ("QuestionnaireResponse.meta.security", "Observation.meta.security"),
        "TRE_A07",
    ),
    Field("forms[].audience.confidentiality", ("QuestionnaireResponse.meta.security",), "TRE_A08"),
    Field("forms[].audience.onlyFor[]", ("QuestionnaireResponse.extension(audience-only-for)",)),
)
