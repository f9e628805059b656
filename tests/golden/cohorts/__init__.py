"""Published cohorts, synthesised to their margins."""
