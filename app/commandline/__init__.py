"""The commands of `herald`, one subject a module; app.cli puts them together."""
