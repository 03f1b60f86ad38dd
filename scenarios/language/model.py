"""The base of every model of the scenario language."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Frozen, and nothing but its own fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
