import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException;
import java.util.HashSet;
import java.util.Set;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.BooleanType;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.CodeType;
import org.hl7.fhir.r4.model.Encounter;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Reference;
import org.hl7.fhir.r4.model.StringType;

/** A day of work of HAPI's own client; each step prints its name, a failed one ends it. */
public class DayOfWork {
  private static final String IPP = "https://hopital.example/ipp";

  public static void main(String[] arguments) {
    FhirContext context = FhirContext.forR4();
    for (EncodingEnum encoding : new EncodingEnum[] {EncodingEnum.JSON, EncodingEnum.XML}) {
      IGenericClient client = context.newRestfulGenericClient(arguments[0]);
      client.setEncoding(encoding);
      day(client, encoding.name().toLowerCase());
    }
  }

  private static void day(IGenericClient client, String name) {
    CapabilityStatement said =
        client.capabilities().ofType(CapabilityStatement.class).execute();
    check("4.0.1".equals(said.getFhirVersion().toCode()), name, "capabilities");
    IIdType id = writes(client, name);
    searches(client, name);
    transaction(client, name);
    check(client.delete().resourceById(id.toUnqualifiedVersionless()).execute() != null, name,
        "delete");
    try {
      client.read().resource(Patient.class).withId(id.getIdPart()).execute();
      check(false, name, "gone");
    } catch (ResourceGoneException gone) {
      check(true, name, "gone");
    }
  }

  private static IIdType writes(IGenericClient client, String name) {
    MethodOutcome made = client.create().resource(patient(name, "Lefèvre-D'Œuvre")).execute();
    check(made.getCreated() && "1".equals(made.getId().getVersionIdPart()), name, "create");
    Patient read =
        client.read().resource(Patient.class).withId(made.getId().getIdPart()).execute();
    check("Lefèvre-D'Œuvre".equals(read.getNameFirstRep().getFamily()), name, "read");
    read.setActive(true);
    MethodOutcome changed = client.update().resource(read).execute(); // If-Match: its version
    check("2".equals(changed.getId().getVersionIdPart()), name, "update");
    try {
      client.update().resource(read).execute();
      check(false, name, "stale update");
    } catch (PreconditionFailedException stale) {
      check(stale.getOperationOutcome() != null, name, "stale update");
    }
    MethodOutcome again = client.create().resource(patient(name, "X"))
        .conditional().where(Patient.IDENTIFIER.exactly().systemAndCode(IPP, name)).execute();
    check(made.getId().getIdPart().equals(again.getId().getIdPart()), name, "conditional create");
    MethodOutcome patched = client.patch().withFhirPatch(patch())
        .withId(made.getId().toUnqualifiedVersionless()).execute();
    check("3".equals(patched.getId().getVersionIdPart()), name, "FHIRPath Patch");
    MethodOutcome byJson = client.patch()
        .withBody("[{\"op\":\"replace\",\"path\":\"/birthDate\",\"value\":\"1941-07-15\"}]")
        .withId(made.getId().toUnqualifiedVersionless()).execute();
    check("4".equals(byJson.getId().getVersionIdPart()), name, "JSON Patch");
    Patient second = client.read().resource(Patient.class)
        .withIdAndVersion(made.getId().getIdPart(), "2").execute();
    check(second.getActive() && "1941-07-14".equals(second.getBirthDateElement().asStringValue()),
        name, "vread");
    Bundle past = client.history().onInstance(made.getId().toUnqualifiedVersionless())
        .returnBundle(Bundle.class).execute();
    check(past.getEntry().size() == 4, name, "history");
    try {
      Patient wrong = patient(name + "-wrong", "X");
      wrong.addIdentifier().setSystem("urn:oid:1.2.250.1.213.1.4.10").setValue("279035121518988");
      client.create().resource(wrong).execute();
      check(false, name, "refusal");
    } catch (UnprocessableEntityException refusal) {
      check(refusal.getOperationOutcome() != null, name, "refusal");
    }
    return made.getId();
  }

  private static void searches(IGenericClient client, String name) {
    for (int number = 0; number < 9; number++) {
      client.create().resource(patient(name + "-" + number, "Paginé" + name)).execute();
    }
    Set<String> found = new HashSet<>();
    int pages = 0;
    Bundle page = client.search().forResource(Patient.class)
        .where(Patient.FAMILY.matches().value("PAGINE" + name)).count(4)
        .sort().descending(Patient.BIRTHDATE).returnBundle(Bundle.class).execute();
    while (true) {
      pages++;
      page.getEntry().forEach(entry -> check(found.add(entry.getResource().getId()), null, "twice"));
      if (page.getLink(Bundle.LINK_NEXT) == null) {
        break;
      }
      page = client.loadPage().next(page).execute();
    }
    check(found.size() == 9 && pages == 3, name, "search, page by page");
    Bundle posted = client.search().forResource(Patient.class).usingStyle(
            ca.uhn.fhir.rest.api.SearchStyleEnum.POST)
        .where(Patient.IDENTIFIER.exactly().systemAndCode(IPP, name + "-3"))
        .returnBundle(Bundle.class).execute();
    check(posted.getEntry().size() == 1, name, "search by POST");
  }

  private static void transaction(IGenericClient client, String name) {
    Bundle bundle = new Bundle().setType(Bundle.BundleType.TRANSACTION);
    String urn = "urn:uuid:7a1d1c2e-6a55-4a0b-9d0c-1f2e3d4c5b6a";
    bundle.addEntry().setFullUrl(urn).setResource(patient(name + "-t", "Transaction"))
        .getRequest().setMethod(Bundle.HTTPVerb.POST).setUrl("Patient");
    Encounter encounter = new Encounter().setStatus(Encounter.EncounterStatus.PLANNED);
    encounter.getClass_().setCode("AMB")
        .setSystem("http://terminology.hl7.org/CodeSystem/v3-ActCode");
    encounter.setSubject(new Reference(urn));
    bundle.addEntry().setResource(encounter)
        .getRequest().setMethod(Bundle.HTTPVerb.POST).setUrl("Encounter");
    Bundle answer = client.transaction().withBundle(bundle).execute();
    check(answer.getEntry().size() == 2, name, "transaction");
    Bundle found = client.search().forResource(Encounter.class)
        .where(Encounter.PATIENT.hasChainedProperty(
            Patient.IDENTIFIER.exactly().systemAndCode(IPP, name + "-t")))
        .include(Encounter.INCLUDE_SUBJECT).returnBundle(Bundle.class).execute();
    check(found.getEntry().size() == 2, name, "chain and include");
    Parameters about = client.operation().onInstance(
            found.getEntry().get(1).getResource().getIdElement().toUnqualifiedVersionless())
        .named("$everything").withNoParameters(Parameters.class).useHttpGet().execute();
    Bundle everything = (Bundle) about.getParameterFirstRep().getResource();
    check(everything.getEntry().size() == 2, name, "$everything");
  }

  private static Parameters patch() {
    Parameters parameters = new Parameters();
    Parameters.ParametersParameterComponent operation =
        parameters.addParameter().setName("operation");
    operation.addPart().setName("type").setValue(new CodeType("replace"));
    operation.addPart().setName("path").setValue(new StringType("Patient.active"));
    operation.addPart().setName("value").setValue(new BooleanType(false));
    return parameters;
  }

  private static Patient patient(String value, String family) {
    Patient patient = new Patient();
    patient.addIdentifier().setSystem(IPP).setValue(value);
    patient.addName().setFamily(family).addGiven("Éléonore");
    patient.getBirthDateElement().setValueAsString("1941-07-14");
    return patient;
  }

  private static void check(boolean held, String name, String step) {
    if (!held) {
      throw new AssertionError(name + ": " + step);
    }
    if (name != null) {
      System.out.println(name + ": " + step);
    }
  }
}
