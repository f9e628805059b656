"""HL7 v2 messages: read into Received, acknowledged, and written. Pure: bytes in, words or bytes out."""
