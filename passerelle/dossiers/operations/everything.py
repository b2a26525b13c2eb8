"""`$everything`: all that is about a patient, an encounter or an episode of care.

https://hl7.org/fhir/R4/patient-operation-everything.html ,
https://hl7.org/fhir/R4/encounter-operation-everything.html
"""

from passerelle.dossiers.repository import Repository
from passerelle.fhir.resource import Key
from passerelle.store.contract import Page
from passerelle.store.gathering import Everything


async def everything(repository: Repository, asked: Everything) -> Page:
    """Give one page: the resource and what belongs to it, then what these refer to.

    Raises NotFound or Gone when the resource is not there, Invalid for a foreign cursor.
    """
    if asked.id is not None:
        await repository.read(Key(asked.focus, asked.id))
    return await repository.gateway.store.everything(asked, repository.caller)
