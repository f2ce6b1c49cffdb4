"""Addresses of files of datasets on the Hugging Face Hub."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import quote

HUB: Final = "https://huggingface.co"
CONVERTED: Final = "refs/convert/parquet"


def hub() -> str:
    """Return the Hub's address: ``$HF_ENDPOINT``, as for the Hub's own library, or else the public one."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def hub_address(dataset: str, revision: str, path: str) -> str:
    """Return the address of a file of a dataset at a revision."""
    return f"{hub()}/datasets/{dataset}/resolve/{quote(revision, safe='')}/{quote(path)}"


def parquet_address(dataset: str, config: str, split: str) -> str:
    """Return the address of a split as the Hub converts it; no split of an evaluation set is so large that it has two.

    >>> parquet_address("ibm/duorc", "ParaphraseRC", "test")
    'https://huggingface.co/datasets/ibm/duorc/resolve/refs%2Fconvert%2Fparquet/ParaphraseRC/test/0000.parquet'
    """
    return hub_address(dataset, CONVERTED, f"{config}/{split}/0000.parquet")
