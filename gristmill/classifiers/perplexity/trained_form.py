"""What stands beside a trained model: the form of the texts that it was made of, in ``<model>.json``.

A model answers truly only what it is asked in that form. The file names the normalization, the pieces' digest and the
model's own digest, so that neither can be exchanged unnoticed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import fsspec

from gristmill.classifiers.models import FoundModel, digest_of
from gristmill.classifiers.perplexity.form import Form, Normalization, normalization
from gristmill.classifiers.perplexity.pieces import WORDS, WORDS_ALONE, Pieces, find_pieces
from gristmill.classifiers.perplexity.train import Trained
from gristmill.errors import CorruptError, MissingError, UsageError

_ADDRESS_END: Final = ".json"


@dataclass(frozen=True)
class TrainedForm:
    """The form that a model's file tells of; ``pieces_file`` is the name that the vocabulary's file had."""

    path: str
    normalize: Normalization
    pieces: str
    pieces_file: str | None


def write_trained_form(model: Path, form: Form, trained: Trained) -> Path:
    """Write the file beside a model, and return its path. The same training gives the same bytes."""
    facts = {
        "kind": "perplexity",
        "model_sha256": digest_of(model),
        "normalize": form.normalize,
        "pieces": form.pieces.digest,
        "pieces_file": form.pieces.file.path.name if form.pieces.file else None,
        "sentences": trained.sentences,
        "tokens": trained.tokens,
        "ngrams": list(trained.ngrams),
    }
    path = model.with_name(model.name + _ADDRESS_END)
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return path


def read_trained_form(name: str, model: FoundModel) -> TrainedForm | None:
    """Return what stands beside the model that a recipe names so; None where nothing does.

    None too where no package is installed that reads such addresses.
    Raises CorruptError for a file that tells nothing, UsageError for one that tells of another model.
    """
    address = name + _ADDRESS_END
    try:
        filesystem, path = fsspec.core.url_to_fs(address)
        if not filesystem.isfile(path):
            return None
        facts = json.loads(filesystem.cat_file(path))
        found = _told(address, facts)
    except ImportError:
        return None
    except OSError as error:
        raise MissingError(f"{address}, which tells how the model was made, cannot be read: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise CorruptError(f"{address} does not tell how the model was made: {error!r}") from error
    if facts["model_sha256"] != model.digest:
        raise UsageError(
            f"{address} tells of another model: of one with sha256 {facts['model_sha256']}, and {name} has "
            f"{model.digest}; put the file there that belongs to it, or take this one away"
        )
    return found


def _told(address: str, facts: dict[str, Any]) -> TrainedForm:
    return TrainedForm(address, normalization(facts["normalize"]), str(facts["pieces"]), facts["pieces_file"])


def form_of(name: str, model: FoundModel, normalize: Normalization | None, pieces: str | None) -> Form:
    """Return the form in which a model is asked: as the recipe says, or as the file beside the model does.

    Raises UsageError where neither says it, and where they differ; MissingError for pieces that are not there.
    """
    told = read_trained_form(name, model)
    if told is None:
        if normalize is None or pieces is None:
            raise UsageError(
                f"nothing tells how texts were prepared for model {name}: there is no {name}{_ADDRESS_END}, as "
                "`gristmill train perplexity` writes it, so write `normalize:` and `pieces:`, such as "
                "{normalize: ccnet, pieces: models/en.sp.model} or {normalize: none, pieces: words}"
            )
        return Form(normalize, find_pieces(pieces))
    form = Form(normalize or told.normalize, find_pieces(pieces) if pieces else _told_pieces(name, told))
    if form.normalize != told.normalize:
        raise UsageError(
            f"model {name} was trained with normalize: {told.normalize}, as {told.path} tells, and the recipe says "
            f"{form.normalize}; leave it out"
        )
    if form.pieces.digest != told.pieces:
        raise UsageError(
            f"model {name} was trained with {_named(told)}, as {told.path} tells, and {form.pieces.name} is another "
            f"(sha256 {form.pieces.digest})"
        )
    return form


def _told_pieces(name: str, told: TrainedForm) -> Pieces:
    """Return the pieces that a model was trained with, if they lie beside it under the name that they had."""
    if told.pieces == WORDS:
        return WORDS_ALONE
    beside = _beside(name, told.pieces_file or "")
    try:
        return find_pieces(beside)
    except MissingError as error:
        raise UsageError(
            f"model {name} was trained with {_named(told)}, which does not lie beside it; write `pieces:` and where "
            "it lies"
        ) from error


def _beside(name: str, file: str) -> str:
    """Return the address of another file in a model's folder. The name is one alone: what a file tells is foreign."""
    file = file.replace("\\", "/").rpartition("/")[2] or "pieces"
    folder, slash, _ = name.rpartition("/")
    return folder + slash + file


def _named(told: TrainedForm) -> str:
    return WORDS if told.pieces == WORDS else f"the pieces of {told.pieces_file} (sha256 {told.pieces})"
