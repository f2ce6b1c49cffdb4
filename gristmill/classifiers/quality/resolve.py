"""From what a recipe says of a classifier to one that can be asked: its file, label and normalization, all checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from gristmill.classifiers.models import FoundModel, find_model
from gristmill.classifiers.quality.labels import find_label, graded, labels_in, named_label, only_good
from gristmill.classifiers.quality.presets import PRESETS, QualityPreset
from gristmill.classifiers.quality.scores import PLAIN, Classifier, Weights
from gristmill.classifiers.quality.settings import ClassifierSettings, QualitySettings
from gristmill.classifiers.quality.sidecar import Calibration, Sidecar, read_sidecar, sidecar_path
from gristmill.errors import UsageError


@dataclass(frozen=True)
class Resolved:
    """A classifier of a recipe, the model as the recipe names it, and the preset that is for it."""

    classifier: Classifier
    model: str
    preset: QualityPreset | None


def classifiers_of(settings: QualitySettings) -> Iterator[Resolved]:
    """Yield the classifiers of a stage, in the order written.

    Raises MissingError, CorruptError, StaleError and UsageError for a model that cannot be asked as the recipe says.
    """
    presets = {PRESETS[name].classifier: PRESETS[name] for name in settings.use}
    for name, written in settings.fasttext.items():
        preset = presets.get(name)
        if written.first_characters is None:
            written = written.model_copy(update={"first_characters": settings.first_characters})
        yield Resolved(classifier_of(name, written, preset), written.model, preset)


def classifier_of(name: str, written: ClassifierSettings, preset: QualityPreset | None = None) -> Classifier:
    """Return a classifier as a recipe and a preset say. Raises as `classifiers_of`."""
    model = find_model(written.model, "fasttext")
    labels, sidecar = labels_in(model.path), read_sidecar(model)
    chosen = _chosen(labels, written, preset, sidecar)
    good = find_label(labels, sidecar.positive) if sidecar else None
    return Classifier(
        name=name,
        model=model,
        labels=chosen,
        form=_form(written, preset, sidecar, model),
        first_characters=written.first_characters,
        buckets=written.buckets or (preset.buckets if preset else None),
        complement=bool(preset and preset.complement and sidecar is None and len(labels) == 2 and len(chosen) == 1),
        calibration=sidecar.calibration if sidecar and chosen == ((good, 1.0),) else None,
    )


def calibration_of(model: FoundModel) -> Calibration | None:
    """Return the table beside a model that makes its scores probabilities. Raises as `read_sidecar`."""
    sidecar = read_sidecar(model)
    return sidecar.calibration if sidecar else None


def digest_of_calibration(table: Calibration) -> str:
    """Return the sha256 of a table, which belongs into the step's hash."""
    return hashlib.sha256(json.dumps(asdict(table), sort_keys=True).encode()).hexdigest()


def _chosen(
    labels: tuple[str, ...], written: ClassifierSettings, preset: QualityPreset | None, sidecar: Sidecar | None
) -> Weights:
    """Return the labels that count: the recipe's, else that of the model's own file, the preset's, the only one."""
    if written.label is not None:
        given = {written.label: 1.0} if isinstance(written.label, str) else written.label
        return tuple((named_label(labels, label, written.model), float(weight)) for label, weight in given.items())
    if sidecar is not None:
        return ((named_label(labels, sidecar.positive, written.model), 1.0),)
    found = find_label(labels, preset.label) if preset else None
    if found is None and preset and preset.grades and (grades := graded(labels, preset.grades)):
        return grades
    return ((found or only_good(labels, written.model), 1.0),)


def _form(written: ClassifierSettings, preset: QualityPreset | None, sidecar: Sidecar | None, model: FoundModel) -> str:
    """Return the normalization. Raises UsageError where the recipe contradicts what the model was trained on."""
    if sidecar is None:
        return written.normalize or (preset.normalize if preset else PLAIN)
    if written.normalize not in (None, sidecar.form):
        raise UsageError(
            f"normalize: {written.normalize} contradicts {sidecar_path(model.path)}: the model was trained on texts "
            f"normalized as '{sidecar.form}'; leave the line out"
        )
    return sidecar.form
