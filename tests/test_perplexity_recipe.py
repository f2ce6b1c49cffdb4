"""The recipe `ccnet` runs on the sample, with small models where it looks for CCNet's."""

import io
import shutil
from pathlib import Path

from commands import inside
from needed import need_kenlm

from gristmill import schema
from gristmill.pipeline.ledger import fates
from gristmill.pipeline.run import Run

need_kenlm()

REPOSITORY = Path(__file__).resolve().parents[1]


def write_models(folder, texts):
    """Write one small model, and its pieces, under the names that the recipe has for five languages."""
    import sentencepiece as spm

    folder.mkdir()
    lines = [line for text in texts for line in text.split("\n") if line.strip()]
    (folder / "texts.txt").write_text("\n".join(lines), encoding="utf-8")
    pieces = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=pieces,
        vocab_size=800,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
    )
    (folder / "en.sp.model").write_bytes(pieces.getvalue())
    form = ("--normalize", "ccnet", "--pieces", "en.sp.model")
    inside("train", "perplexity", "texts.txt", "-o", "lm.bin", "--order", 3, *form, cwd=folder)
    for language in ("de", "en", "es", "fr", "it"):
        shutil.copy(folder / "lm.bin", folder / f"{language}.arpa.bin")
        if language != "en":
            shutil.copy(folder / "en.sp.model", folder / f"{language}.sp.model")


def test_the_recipe_runs_on_the_sample(quickstart):
    made = Run.open(str(quickstart / "runs" / "quickstart"))
    columns = [made.read(made.plan.text_step, shard, [schema.TEXT]).column(0) for shard in made.plan.shards]
    write_models(quickstart / "models", [text for column in columns for text in column.to_pylist() if text])
    shutil.copytree(quickstart / "runs" / "quickstart" / "documents", quickstart / "runs" / "ccnet" / "documents")
    inside("run", REPOSITORY / "configs" / "ccnet.yaml", "--workers", 1, cwd=quickstart)
    run = Run.open(str(quickstart / "runs" / "ccnet"))
    rows = [row for shard in run.plan.shards for row in fates(run, shard, run.plan.deciders).to_pylist()]
    assert any(row["kept"] for row in rows)
    reasons = {reason for row in rows for reason in row["reasons"]}
    assert {"perplexity.perplexity_bucket.in", "language.language.in"} <= reasons
