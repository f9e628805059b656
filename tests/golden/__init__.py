"""Known input, known output."""
