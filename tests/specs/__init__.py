"""What the guideline says, as text grids beside the tables that must say the same."""
