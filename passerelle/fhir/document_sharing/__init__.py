"""What the French guide of document sharing (PDSm, on IHE MHD) asks of FHIR resources."""
