"""FHIR R4 (4.0.1): messages in, resources out. JSON only."""
