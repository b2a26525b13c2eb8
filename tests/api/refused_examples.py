"""The published resources that are refused: rule and place of each fault.

They break R4, or the rules of an identity (the patients of the French guides have matricules with
a wrong key), or define a search parameter that is already there. Of long lists the first two
faults are told, and how many follow of which rules.
"""

REFUSED: dict[str, list[str]] = {
    "ans.fhir.fr.cds-2.0.1/Bundle-cds-bundle-transaction-creation-example": [
        "structure.empty Bundle.entry[0].resource.name.extension[0].extension[1].value",
        "structure.empty Bundle.entry[1].resource.name.extension[0].extension[1].value",
        "structure.empty Bundle.entry[1].resource.alias[0].extension[0].extension[1].value",
    ],
    "ans.fhir.fr.cds-2.0.1/CapabilityStatement-CDSConsommateur": [
        "structure.ext-1 CapabilityStatement.name.extension[0].extension[1]",
        "structure.ext-1 CapabilityStatement.title.extension[0].extension[1]",
        "and 34 more: structure.ext-1",
    ],
    "ans.fhir.fr.cds-2.0.1/CapabilityStatement-CDSCreateurRestful": [
        "structure.ext-1 CapabilityStatement.name.extension[0].extension[1]",
        "structure.ext-1 CapabilityStatement.title.extension[0].extension[1]",
        "and 2 more: structure.ext-1",
    ],
    "ans.fhir.fr.cds-2.0.1/CapabilityStatement-CDSCreateurTransaction": [
        "structure.ext-1 CapabilityStatement.name.extension[0].extension[1]",
        "structure.ext-1 CapabilityStatement.title.extension[0].extension[1]",
        "and 4 more: structure.ext-1",
    ],
    "ans.fhir.fr.cds-2.0.1/CapabilityStatement-CDSGestionnaire": [
        "structure.ext-1 CapabilityStatement.name.extension[0].extension[1]",
        "structure.ext-1 CapabilityStatement.title.extension[0].extension[1]",
        "and 36 more: structure.ext-1",
    ],
    "ans.fhir.fr.cds-2.0.1/CareTeam-cds-careteam-example": [
        "structure.empty CareTeam.name.extension[0].extension[1].value",
    ],
    "ans.fhir.fr.cds-2.0.1/Organization-cds-organization-example": [
        "structure.empty Organization.name.extension[0].extension[1].value",
        "structure.empty Organization.alias[0].extension[0].extension[1].value",
    ],
    "ans.fhir.fr.cds-2.0.1/Patient-cds-patient-example": [
        "ins.key Patient.identifier[0].value",
    ],
    "ans.fhir.fr.cds-2.0.1/SearchParameter-cds-careteam-end": [
        "structure.ext-1 SearchParameter.name.extension[0].extension[1]",
        "structure.ext-1 SearchParameter.description.extension[0].extension[1]",
    ],
    "ans.fhir.fr.cds-2.0.1/SearchParameter-cds-careteam-managing-organization": [
        "structure.ext-1 SearchParameter.name.extension[0].extension[1]",
        "structure.ext-1 SearchParameter.description.extension[0].extension[1]",
    ],
    "ans.fhir.fr.cds-2.0.1/SearchParameter-cds-careteam-participant-end": [
        "structure.ext-1 SearchParameter.name.extension[0].extension[1]",
        "structure.ext-1 SearchParameter.description.extension[0].extension[1]",
    ],
    "ans.fhir.fr.cds-2.0.1/SearchParameter-cds-careteam-participant-start": [
        "structure.ext-1 SearchParameter.name.extension[0].extension[1]",
        "structure.ext-1 SearchParameter.description.extension[0].extension[1]",
    ],
    "ans.fhir.fr.cds-2.0.1/SearchParameter-cds-careteam-start": [
        "structure.ext-1 SearchParameter.name.extension[0].extension[1]",
        "structure.ext-1 SearchParameter.description.extension[0].extension[1]",
    ],
    "ans.fhir.fr.cds-2.0.1/SearchParameter-cds-patient-birthplace": [
        "structure.ext-1 SearchParameter.name.extension[0].extension[1]",
        "structure.ext-1 SearchParameter.description.extension[0].extension[1]",
    ],
    "ans.fhir.fr.cds-2.0.1/ValueSet-careteam-roles-vs": [
        "structure.ext-1 ValueSet.name.extension[0].extension[1]",
        "structure.ext-1 ValueSet.title.extension[0].extension[1]",
        "and 2 more: structure.ext-1, structure.required",
    ],
    "ans.fhir.fr.gap-3.0.0/SearchParameter-GAP-Appointment-latestStart": [
        "parameter.code-taken SearchParameter.base[0]",
    ],
    "ans.fhir.fr.gap-3.0.0/SearchParameter-GAP-Slot-earliestStart": [
        "parameter.code-taken SearchParameter.base[0]",
    ],
    "ans.fhir.fr.gap-3.0.0/SearchParameter-GAP-Slot-latestStart": [
        "parameter.code-taken SearchParameter.base[0]",
    ],
    "ans.fhir.fr.pdlgc-0.1.0/ImplementationGuide-ans.fhir.fr.pdlgc": [
        "structure.reference-target ImplementationGuide.definition.resource[7].reference.reference",
        "structure.reference-target ImplementationGuide.definition.resource[8].reference.reference",
        "and 2 more: structure.reference-target",
    ],
    "ans.fhir.fr.pdsm-3.1.1-combined/SearchParameter-PDSm-List-PatientAsSource-3.1.1": [
        "structure.unknown-element SearchParameter.processingMode",
    ],
    "ans.fhir.fr.pdsm-3.1.1-combined/SearchParameter-PDSm-List-PatientAsSubject-3.1.1": [
        "parameter.code-taken SearchParameter.base[0]",
    ],
    "ans.fhir.fr.pdsm-3.1.1-combined/SearchParameter-PDSm-List-PractitionerRoleAsSource-3.1.1": [
        "structure.unknown-element SearchParameter.processingMode",
    ],
    "ans.fhir.fr.pdsm-3.1.1-combined/StructureDefinition-fr-core-service-type-duration-2.1.0": [
        "structure.required StructureDefinition.differential.element[2].binding.strength",
    ],
    "ans.fhir.fr.pdsm-3.1.1/SearchParameter-PDSm-List-PatientAsSource": [
        "parameter.code-taken SearchParameter.base[0]",
    ],
    "ans.fhir.fr.pdsm-3.1.1/SearchParameter-PDSm-List-PractitionerRoleAsSource": [
        "parameter.code-taken SearchParameter.base[0]",
    ],
    "hl7.fhir.fr.core-2.1.0/Patient-ExampleFRCorePatient001": [
        "ins.key Patient.identifier[0].value",
    ],
    "hl7.fhir.fr.core-2.1.0/StructureDefinition-fr-core-schedule-availability-time": [
        "structure.required StructureDefinition.differential.element[57].binding.strength",
    ],
    "hl7.fhir.fr.core-2.1.0/StructureDefinition-fr-core-service-type-duration": [
        "structure.required StructureDefinition.differential.element[2].binding.strength",
    ],
    "hl7.fhir.fr.core-2.2.0/Patient-FRCorePatientExample": [
        "ins.key Patient.identifier[0].value",
    ],
    "hl7.fhir.fr.core-2.2.0/StructureDefinition-fr-core-observation-bp": [
        "structure.eld-1 StructureDefinition.differential.element[14].slicing",
    ],
    "r4-examples-half/DeviceMetric-example": [
        "structure.reference-target DeviceMetric.parent.reference",
    ],
    "r4-examples-half/Questionnaire-zika-virus-exposure-assessment": [
        "structure.txt-2 Questionnaire.text.div",
    ],
}
"""By archive and name."""
