"""Presets that are read from files: FineWeb-2's, from a folder, a URL or an archive of what it publishes."""

from __future__ import annotations

import difflib
import tarfile
from pathlib import Path
from typing import Final

from gristmill.classifiers.models import find_model
from gristmill.errors import CorruptError, MissingError
from gristmill.filters.rules.fineweb2 import LanguageConfig, preset_of, read_config
from gristmill.filters.rules.labels import labels_of
from gristmill.filters.rules.presets import PRESETS
from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.settings import FilterSettings

_ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_LARGEST: Final = 1 << 20


def find_preset(name: str, settings: FilterSettings) -> Preset:
    """Return a preset by name.

    Raises MissingError for files that are not there, CorruptError for ones of another kind.
    """
    if name in PRESETS:
        return PRESETS[name]
    assert settings.fineweb2 is not None
    config = find_config(name.partition("/")[2], settings.fineweb2.configs)
    return preset_of(config, labels_of(config.language, settings.fineweb2.labels))


def find_config(language: str, configs: str) -> LanguageConfig:
    """Return what FineWeb-2 publishes for a language, such as ``fra_Latn``. Raises MissingError, CorruptError."""
    if configs.endswith(_ARCHIVES):
        return read_config(language, _from_archive(language, find_model(configs).path))
    if "://" not in configs and not Path(configs, f"{language}.yml").is_file():
        there = sorted(path.stem for path in Path(configs).glob("*.yml"))
        raise MissingError(f"{configs} has no file of language '{language}'{_nearest(language, there)}")
    return read_config(language, find_model(f"{configs.rstrip('/')}/{language}.yml").path.read_bytes())


def _from_archive(language: str, path: Path) -> bytes:
    """Return the bytes of a language's file in an archive, wherever in it; nothing is unpacked."""
    try:
        with tarfile.open(path) as archive:
            members = {Path(member.name).stem: member for member in archive if member.name.endswith(".yml")}
            if language not in members:
                raise MissingError(f"{path} has no file of language '{language}'{_nearest(language, sorted(members))}")
            file = archive.extractfile(members[language])
            if file is None or members[language].size > _LARGEST:
                raise CorruptError(f"{path}: '{members[language].name}' is no file of bounds")
            return file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise CorruptError(f"{path} is not a readable archive: {error}") from error


def _nearest(language: str, there: list[str]) -> str:
    found = difflib.get_close_matches(language, there, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(found)}?" if found else f"; it has {len(there)} such files"
