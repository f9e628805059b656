"""The settings for a command; a wrong variable is told by its name."""

from __future__ import annotations

from pydantic import ValidationError

from app.commandline.terminal import refuse
from app.domain.problems import Problem
from app.settings import Settings


def read_settings() -> Settings:
    """The settings of the environment."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            Problem(
                "WRONG_TYPE", f"HERALD_{'_'.join(map(str, each['loc'])).upper()}", each["msg"], "see docs/settings.md"
            )
            for each in error.errors()
        ]
        refuse("The settings in the environment can't be used:", problems)
