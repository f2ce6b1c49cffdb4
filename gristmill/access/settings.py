"""How files that lie elsewhere are asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from gristmill.units import Duration


class AccessSettings(BaseModel):
    """How files that lie elsewhere are asked for. Nothing here changes a byte of the output."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_second: float = Field(
        5.0, gt=0, le=10_000, description="Requests that one process makes in a second at most, to all servers."
    )
    tries: int = Field(
        10, ge=1, le=100, description="How often in a row a request may fail before its file is given up."
    )
    timeout: Duration = Field(
        60.0,
        gt=0,
        le=86400,
        allow_inf_nan=False,
        description="How long a server may take to answer, and for each 64 KiB of its answer.",
    )
    first_wait: Duration = Field(
        2.0,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="Longest wait after a first failure; it doubles with each further one. Waits are drawn at random.",
    )
    longest_wait: Duration = Field(
        60.0,
        ge=0,
        le=86400,
        allow_inf_nan=False,
        description="Longest wait between tries, also where a server asks for a longer one.",
    )


DEFAULT_ACCESS = AccessSettings.model_validate({})
"""What applies where a recipe says nothing."""
