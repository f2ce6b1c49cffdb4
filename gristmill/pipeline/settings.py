"""The parts of a recipe that are the pipeline's own: its source, and how it runs."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gristmill.access.settings import DEFAULT_ACCESS, AccessSettings
from gristmill.crawl.index.settings import IndexSettings
from gristmill.crawl.settings import BASE

_CRAWL = r"^[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)*$"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class SourceSettings(BaseModel):
    """Where the crawl lies: a crawl of Common Crawl, or WARC files by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warc: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(
        (),
        description="WARC files: paths, globs or URLs, or lists of them (`*.paths`, `*.paths.gz`). Each file becomes a "
        "shard that bears its name.",
    )
    crawl: str | None = Field(
        None,
        pattern=_CRAWL,
        description="A crawl of Common Crawl, such as CC-MAIN-2024-51; `gristmill crawls` lists them.",
    )
    kind: Literal["warc", "wet"] = Field("warc", description="Which files of the crawl.")
    segments: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(
        (), description="Segments of the crawl, such as 1733066035857.0; by default all."
    )
    take: int | None = Field(
        None,
        ge=1,
        description="How many of the files, spread evenly over the segments; by default all. More include the fewer.",
    )
    seed: int = Field(0, description="Another seed takes other files.")
    base: str = Field(
        BASE,
        min_length=1,
        description="What the crawl's paths start from: Common Crawl's address, s3://commoncrawl, a mirror's folder.",
    )
    download: bool | str = Field(
        False,
        description="Keep the files: `true` in `downloads` beside the runs, or a folder. By default they are streamed.",
    )

    index: IndexSettings | None = Field(
        None,
        description="Which records of the crawl: its index is asked for their places, and they alone are read.",
    )

    @model_validator(mode="after")
    def _asks_an_index_of_a_crawl(self) -> Self:
        """Raise ValueError for an index without a crawl, and for what only whole files can be."""
        if self.index is None:
            return self
        if self.crawl is None:
            raise ValueError("index is that of a crawl: name it too, as in {crawl: CC-MAIN-2024-51, index: {…}}")
        for name, is_given in {
            "take": self.take is not None,
            "segments": bool(self.segments),
            "kind": self.kind != "warc",
            "download": bool(self.download),
        }.items():
            if is_given:
                raise ValueError(f"{name} is for whole files, and index reads single records; leave one of them out")
        return self

    @model_validator(mode="after")
    def _names_one_source(self) -> Self:
        """Raise ValueError unless there is exactly one of a crawl and WARC files."""
        if bool(self.warc) == (self.crawl is not None):
            raise ValueError("name either a crawl, as in {crawl: CC-MAIN-2024-51, take: 4}, or files, as in {warc: …}")
        if self.segments and self.crawl is None:
            raise ValueError("segments are those of a crawl: name it too")
        return self


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
    access: AccessSettings = Field(DEFAULT_ACCESS, description="How files that lie elsewhere are asked for.")

    @model_validator(mode="after")
    def _knows_its_cluster(self) -> Self:
        """Raise ValueError for Slurm without a partition."""
        if self.executor == "slurm" and self.slurm is None:
            raise ValueError("executor 'slurm' needs to know the cluster: add run.slurm.partition to the recipe")
        return self
