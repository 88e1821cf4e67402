"""What is known about one service: tables ``[services.NAME]``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ServiceOverride(BaseModel):
    """What is known about one service beyond its metrics: ``[services."shop/checkout"]``."""

    model_config = ConfigDict(extra="forbid")

    team: str | None = Field(None, description="Who owns it.")
    tier: str | None = Field(None, description="How much it matters, in your own words.")
    objective: float | None = Field(None, gt=0, lt=1, description="Availability objective (0–1).")
    latency_target: float | None = Field(None, gt=0, description="p95 users should see at most [s].")
    cpu_limit: float | None = Field(None, gt=0, description="CPU limit over all pods [cores].")
    memory_limit: float | None = Field(None, gt=0, description="Memory limit over all pods [bytes].")
    desired_pods: float | None = Field(None, gt=0, description="Pods that should be running.")
