"""The table machine, apart from every guideline."""
