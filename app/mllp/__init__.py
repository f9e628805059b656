"""The HL7 door: messages over MLLP, acknowledged once they are on disk."""
