"""CDS Hooks 2.0 (cds-hooks.hl7.org/2.0): requests read, discovery and cards written. Pure."""
