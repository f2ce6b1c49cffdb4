"""What a trained model says of itself, in a JSON file beside it: ``quality.bin`` has ``quality.bin.json``.

It names the normalization that texts need before they are scored, which label is the good one, what the model was made
of, how it did on hosts that it never saw, and the table that turns its score into a probability. A model without such a
file is scored as a recipe says; one whose file was written for another model is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from gristmill.classifiers.models import FoundModel
from gristmill.classifiers.quality import normal
from gristmill.errors import CorruptError, StaleError

FORMAT: Final = 1
POSITIVE: Final = "positive"
NEGATIVE: Final = "negative"


@dataclass(frozen=True)
class Calibration:
    """Ascending scores and the probability of being positive at each; between two it is interpolated.

    The probability is that of a text drawn from as many positives as negatives.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Sidecar:
    """What stands beside a model.

    ``digest``: sha256 of the model's file; ``form``: a name of `normal.FORMS`, with its version; ``settings``: how it
    was trained; ``sources``: what it was trained on, with digests; ``versions``: of what its bytes depend on;
    ``report``: what was measured on held-out hosts.
    """

    digest: str
    form: str
    form_version: str
    positive: str
    negative: str
    seed: int
    calibration: Calibration
    settings: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[Mapping[str, Any], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)


def sidecar_path(model: Path) -> Path:
    """Return where the file beside a model lies.

    >>> sidecar_path(Path("models/quality.bin")).name
    'quality.bin.json'
    """
    return model.with_name(f"{model.name}.json")


def sidecar_json(sidecar: Sidecar) -> str:
    """Return a sidecar as the text of its file: the same for the same values."""
    return json.dumps({"format": FORMAT, **asdict(sidecar)}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def read_sidecar(model: FoundModel) -> Sidecar | None:
    """Return what stands beside a model; None if nothing does.

    Raises CorruptError for a file that is none or that another version wrote, StaleError for that of another model.
    """
    path = sidecar_path(model.path)
    if not path.is_file():
        return None
    sidecar = _parsed(path)
    if sidecar.digest != model.digest:
        raise StaleError(
            f"{path} was written for another model (sha256 {sidecar.digest[:8]}…) than {model.path.name} "
            f"({model.digest[:8]}…): train it again, or take the file away to score without what it says"
        )
    if sidecar.form not in normal.FORMS or sidecar.form_version != normal.VERSION:
        raise CorruptError(
            f"{path}: the model wants texts normalized as '{sidecar.form}', version {sidecar.form_version}, which this "
            f"version of gristmill does not do (it has {', '.join(normal.FORMS)}, version {normal.VERSION}): "
            "train it again"
        )
    return sidecar


def _parsed(path: Path) -> Sidecar:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        given = value.pop("calibration")
        table = Calibration(*(tuple(float(number) for number in given[key]) for key in ("scores", "probabilities")))
        if not 0 < len(table.scores) == len(table.probabilities) or list(table.scores) != sorted(table.scores):
            raise ValueError("its calibration is no table of ascending scores")
        sources = tuple(value.pop("sources"))
        return Sidecar(calibration=table, sources=sources, **value)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptError(f"{path} does not describe a model: {error}; train it again, or take it away") from error
