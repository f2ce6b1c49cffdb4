"""Published uses of fastText classifiers: which label, which normalization, which bound. Imports nothing heavy.

The models themselves are not part of gristmill: a recipe names their files, or those of models trained alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class QualityPreset:
    """A published classifier's use.

    ``classifier``: what it is called in a recipe, so that its column is ``<classifier>_score``. ``label``: the label
    that the published model has, without its prefix. ``bounds``: the least value that stays, by column. ``buckets``: as
    `ClassifierSettings` has them. ``complement``: whether a score is 1 minus the probability of the other of two labels
    where that is likelier, as in the published code: it differs by 0.00002 from the label's own, since fastText adds
    0.00001 to each. ``grades``: of a model whose labels are the numbers from 0 to that one, the score is the expected
    number divided by it.
    """

    name: str
    classifier: str
    source: str
    label: str
    normalize: str
    bounds: MappingProxyType[str, float]
    buckets: tuple[float, ...] | None = None
    complement: bool = False
    grades: int | None = None


_REDPAJAMA: Final = "github.com/togethercomputer/RedPajama-Data, rp_v1 and the example of rp_v2's dataset card"

PRESETS: Final = MappingProxyType[str, QualityPreset](
    {
        preset.name: preset
        for preset in (
            QualityPreset(
                "dclm",
                "dclm",
                "Li et al. 2024, arXiv:2406.11794, section 4.4; quality_prediction_enrichers_calc_fasttext.py of "
                "github.com/mlfoundations/dclm, model fasttext-oh-eli5",
                label="hq",
                normalize="lines",
                bounds=MappingProxyType({"dclm_score": 0.018112}),
                complement=True,
            ),
            QualityPreset(
                "fineweb_edu",
                "fineweb_edu",
                "Penedo et al. 2024, arXiv:2406.17557, section 4: scores from 0 to 5, rounded, 3 and more stay. Its "
                "classifier is a regression on embeddings; here a probability times 5 takes the score's place",
                label="edu",
                normalize="lines",
                bounds=MappingProxyType({"fineweb_edu_bucket": 3}),
                buckets=(0.1, 0.3, 0.5, 0.7, 0.9),
                grades=5,
            ),
            QualityPreset(
                "wikipedia_reference",
                "wikipedia_reference",
                "Touvron et al. 2023, arXiv:2302.13971, section 2.1: pages that are not classified as references of "
                "Wikipedia are discarded",
                label="wiki",
                normalize="lines",
                bounds=MappingProxyType({"wikipedia_reference_score": 0.5}),
                complement=True,
            ),
            QualityPreset(
                "wikipedia_reference@redpajama",
                "wikipedia_reference",
                f"Weber et al. 2024, arXiv:2411.12372; {_REDPAJAMA}",
                label="wiki",
                normalize="lines",
                bounds=MappingProxyType({"wikipedia_reference_score": 0.25}),
                complement=True,
            ),
            QualityPreset(
                "deepseek_math",
                "deepseek_math",
                "Shao et al. 2024, arXiv:2402.03300, section 2.1. It ranks the pages and keeps the first 40 billion "
                "tokens, so it has no bound: 0.5, from where on a page is called mathematical, is gristmill's",
                label="math",
                normalize="lines",
                bounds=MappingProxyType({"deepseek_math_score": 0.5}),
            ),
        )
    }
)
