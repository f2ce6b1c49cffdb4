"""Real crawls go the whole way, and everything adds up."""

import json

import pyarrow.parquet as pq
import pytest
from commands import difference, gristmill, inside, outputs

pytestmark = pytest.mark.data

RECIPE = """\
name: real
source: {{warc: {warcs}}}
stages:
  - extract: {{extractor: resiliparse}}
  - language: {{model: lid176, keep: {{en: 0.65}}}}
  - signals:
  - filter: {{use: [gopher_repetition, gopher_quality]}}
  - dedup: {{exact: text}}
  - decontaminate: {{benchmarks: [{{name: gsm8k, path: "{benchmark}"}}], ngram: 13}}
  - tokenize: {{tokenizer: "{tokenizer}", sequence_length: 1024, shard_tokens: 500k}}
"""


def write_recipe(folder, data, warcs):
    text = RECIPE.format(
        warcs=json.dumps([str(path) for path in warcs]),
        benchmark=data / "benchmarks" / "gsm8k_test.jsonl.gz",
        tokenizer=data / "tokenizers" / "gpt2" / "tokenizer.json.gz",
    )
    (folder / "recipe.yaml").write_text(text)


def test_crawled_pages_reach_tokens_and_the_audit_passes(data, tmp_path):
    warcs = sorted((data / "warc").glob("*.warc.gz"))
    write_recipe(tmp_path, data, warcs)
    gristmill("run", "recipe.yaml", "--workers", 2, cwd=tmp_path)
    inside("audit", "real", cwd=tmp_path)
    inside("fates", "real", "-o", "fates.parquet", cwd=tmp_path)
    fates = pq.read_table(tmp_path / "fates.parquet")
    provenance = {path.name: sum(1 for _ in _lines(path)) for path in sorted((data / "warc").glob("*.provenance.*"))}
    assert fates.num_rows == sum(provenance.values()) == 7697
    kept = fates.column("kept").to_pylist()
    assert 1000 < sum(kept) < 4000
    assert all((stage is None) == one for stage, one in zip(fates.column("stage").to_pylist(), kept, strict=True))
    before = outputs(tmp_path / "runs" / "real")
    gristmill("run", "recipe.yaml", "--workers", 1, "--workdir", "again", cwd=tmp_path)
    assert difference(before, outputs(tmp_path / "again" / "real")) == []


def test_odd_and_broken_files_become_fates(data, tmp_path):
    others = ("MANIFEST.jsonl", "commoncrawl__CC-MAIN-2024-22.warc.paths.gz")  # the second names files of a crawl
    warcs = [path for path in sorted((data / "warc_real").glob("*")) if path.name not in others]
    assert len(warcs) > 150
    write_recipe(tmp_path, data, warcs)
    done = gristmill("run", "recipe.yaml", "--workers", 2, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    inside("audit", "real", cwd=tmp_path)


def _lines(path):
    import gzip

    with gzip.open(path, "rt") as file:
        yield from file
