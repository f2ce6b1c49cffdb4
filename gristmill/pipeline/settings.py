"""The parts of a recipe that are the pipeline's own: its source, and how it runs."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class SourceSettings(BaseModel):
    """Where the crawl lies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warc: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(
        min_length=1,
        description="WARC files: paths, globs or fsspec URLs. Each becomes a shard that bears its name.",
    )


class SlurmSettings(BaseModel):
    """What datatrove's Slurm executor is told. One task takes the shards ``tasks`` apart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    partition: str = Field(description="Slurm partition to submit to.")
    time: str = Field("24:00:00", description="Time limit of one task, as Slurm writes it.")
    tasks: int = Field(64, ge=1, description="Tasks of each job array at most; shards are dealt out among them.")
    cpus_per_task: int = Field(1, ge=1, description="Cores of one task. Extraction keeps a second process busy.")
    mem_per_cpu_gb: int = Field(2, ge=1, description="Memory of one core in GB.")
    qos: str | None = Field(None, description="Quality of service, where the cluster wants one.")
    env_command: str | None = Field(
        None, description="Shell line that activates the environment on a node; by default this one is put on the PATH."
    )
    venv_path: str | None = Field(None, description="An `activate` script to source on a node.")
    sbatch_args: dict[str, str] = Field(default_factory=dict, description="Further `#SBATCH --key=value` lines.")
    max_array_size: int = Field(1001, ge=1, description="Largest job array that the cluster accepts.")


class RunSettings(BaseModel):
    """How a recipe runs. Nothing here changes a byte of the output."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    executor: Literal["local", "slurm"] = Field("local", description="Where tasks run.")
    workers: int | None = Field(
        None, ge=1, description="Tasks at the same time; by default the machine's cores, or no limit on Slurm."
    )
    slurm: SlurmSettings | None = Field(None, description="Needed for `executor: slurm`.")

    @model_validator(mode="after")
    def _knows_its_cluster(self) -> Self:
        """Raise ValueError for Slurm without a partition."""
        if self.executor == "slurm" and self.slurm is None:
            raise ValueError("executor 'slurm' needs to know the cluster: add run.slurm.partition to the recipe")
        return self
