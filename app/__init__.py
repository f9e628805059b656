"""Herald: HER2 clinical decision support."""

ENGINE_VERSION = "0.1.0"
