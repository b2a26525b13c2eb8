"""What writing is allowed to do where R4 leaves the choice: values of the settings.

https://hl7.org/fhir/R4/http.html#upsert , #cond-delete , #delete , and
https://hl7.org/fhir/R4/capabilitystatement-definitions.html
#CapabilityStatement.rest.resource.referencePolicy . The defaults are told in
docs/decisions/2611-references-may-come-later.md .
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

References: TypeAlias = Literal["enforce", "warn", "off"]
DeleteReferenced: TypeAlias = Literal["refuse", "allow", "cascade"]
ConditionalDelete: TypeAlias = Literal["single", "multiple", "off"]
Profiles: TypeAlias = Literal["enforce", "warn"]

DELETED_MAX = 1_000
"""As many resources one conditional delete, or one cascade, may delete unless it is set."""


@dataclass(frozen=True, slots=True)
class WritingPolicy:
    """What is done about references, conditional deletes, ids that clients choose, and about what
    declares a profile without meeting it.
    """

    references: References = "warn"
    delete_referenced: DeleteReferenced = "refuse"
    conditional_delete: ConditionalDelete = "single"
    deleted_max: int = DELETED_MAX
    update_create: bool = True
    profiles: Profiles = "enforce"


USUAL = WritingPolicy()
