"""The R4 4.0.1 definitions as compact tables, compiled by ``tools/`` from CC0 packages of HL7."""
