"""The evaluation sets of the registry.

The addresses are those of the Parquet files that the Hub makes of every public dataset, one folder for each
configuration and split, as the documentation of its dataset viewer says ("List Parquet files"). Datasets,
configurations, splits and fields are those of the tasks of lm-evaluation-harness and of the datasets' cards; the
numbers of items and the licences those of the cards (`dataset_infos.json` and README.md in huggingface/datasets 2.x) or
of the authors' repositories. None is pinned: what is fetched is noted in the run by its digest.

Passages that are quoted from elsewhere, as BoolQ's from Wikipedia, are not looked for: a page that holds one is its
source, and tells neither question nor answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gristmill.dedup.benchmarks.hub import parquet_address
from gristmill.dedup.benchmarks.items import Kind
from gristmill.dedup.benchmarks.settings import FieldSettings


@dataclass(frozen=True)
class Registered:
    """An evaluation set on the Hub. ``items``: how many its card says; None where no card was found to say.

    ``configs``: the Hub's configurations, all of which are read; ``id``: the field with the items' ids, None if they
    have none, so that they are called by configuration and row; ``licence``: as its card states it.
    """

    name: str
    what: str
    dataset: str
    configs: tuple[str, ...]
    split: str
    fields: tuple[FieldSettings, ...]
    items: int | None
    licence: str
    kind: Kind = "prose"
    id: str | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where its files lie, one for each configuration."""
        return tuple(parquet_address(self.dataset, config, self.split) for config in self.configs)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What its texts are, in the order of its fields."""
        return tuple(dict.fromkeys(field.kind or self.kind for field in self.fields))


def _f(name: str, text: str | tuple[str, ...] = (), **said: Any) -> FieldSettings:
    return FieldSettings.model_validate({"name": name, "text": text, **said})


def _named(*names: str) -> tuple[FieldSettings, ...]:
    return tuple(_f(name, name) for name in names)


_LABELLED: Final = _f("choices", choices="choices.text")
_BBH: Final = (
    "boolean_expressions", "causal_judgement", "date_understanding", "disambiguation_qa", "dyck_languages",
    "formal_fallacies", "geometric_shapes", "hyperbaton", "logical_deduction_five_objects",
    "logical_deduction_seven_objects", "logical_deduction_three_objects", "movie_recommendation",
    "multistep_arithmetic_two", "navigate", "object_counting", "penguins_in_a_table",
    "reasoning_about_colored_objects", "ruin_names", "salient_translation_error_detection", "snarks",
    "sports_understanding", "temporal_sequences", "tracking_shuffled_objects_five_objects",
    "tracking_shuffled_objects_seven_objects", "tracking_shuffled_objects_three_objects", "web_of_lies",
    "word_sorting",
)  # fmt: skip
_MATH: Final = (
    "algebra", "counting_and_probability", "geometry", "intermediate_algebra", "number_theory", "prealgebra",
    "precalculus",
)  # fmt: skip
_COPA: Final = (
    *_named("premise"),
    _f("choices", choices=("choice1", "choice2")),
)
_ENDINGS: Final = (_f("endings", choices="endings"), _f("ended", "ctx", choices="endings", answer="label"))
_SIQA: Final = (_f("question", ("context", "question")), _f("answers", choices=("answerA", "answerB", "answerC")))
_MBPP_CODE: Final = (_f("code", "code", kind="code"), _f("test_list", "test_list", kind="code"))

BENCHMARKS: Final[dict[str, Registered]] = {
    benchmark.name: benchmark
    for benchmark in (
        Registered(
            "arc_challenge",
            "ARC, the challenge set: science questions of school exams.",
            "allenai/ai2_arc",
            ("ARC-Challenge",),
            "test",
            (*_named("question"), _LABELLED),
            1172,
            "CC BY-SA 4.0",
            id="id",
        ),
        Registered(
            "arc_easy",
            "ARC, the easy set.",
            "allenai/ai2_arc",
            ("ARC-Easy",),
            "test",
            (*_named("question"), _LABELLED),
            2376,
            "CC BY-SA 4.0",
            id="id",
        ),
        Registered(
            "bbh",
            "BIG-Bench Hard: 27 tasks.",
            "lukaemon/bbh",
            _BBH,
            "test",
            _named("input"),
            6511,
            "MIT",
        ),
        Registered(
            "boolq",
            "BoolQ: yes/no questions; the passages, which are Wikipedia's, are left out.",
            "aps/super_glue",
            ("boolq",),
            "validation",
            _named("question"),
            3270,
            "CC BY-SA 3.0",
        ),
        Registered(
            "commonsense_qa",
            "CommonsenseQA.",
            "tau/commonsense_qa",
            ("default",),
            "validation",
            (*_named("question"), _LABELLED),
            1221,
            "MIT",
            id="id",
        ),
        Registered(
            "copa",
            "COPA: causes and effects.",
            "aps/super_glue",
            ("copa",),
            "validation",
            _COPA,
            100,
            "BSD 2-clause",
        ),
        Registered(
            "cruxeval",
            "CRUXEval: Python functions whose output or input is asked for.",
            "cruxeval-org/cruxeval",
            ("default",),
            "test",
            _named("code"),
            800,
            "MIT",
            kind="code",
            id="id",
        ),
        Registered(
            "gsm8k",
            "GSM8K: arithmetic word problems and their worked solutions.",
            "openai/gsm8k",
            ("main",),
            "test",
            _named("question", "answer"),
            1319,
            "MIT",
        ),
        Registered(
            "hellaswag",
            "HellaSwag: contexts, endings, and each context with its right ending.",
            "Rowan/hellaswag",
            ("default",),
            "validation",
            (*_named("ctx"), *_ENDINGS),
            10_042,
            "MIT",
        ),
        Registered(
            "humaneval",
            "HumanEval: Python functions to write, their solutions and tests.",
            "openai/openai_humaneval",
            ("openai_humaneval",),
            "test",
            (_f("solution", ("prompt", "canonical_solution"), join=""), *_named("test")),
            164,
            "MIT",
            kind="code",
            id="task_id",
        ),
        Registered(
            "ifeval",
            "IFEval: instructions whose following can be checked.",
            "google/IFEval",
            ("default",),
            "train",
            _named("prompt"),
            None,
            "Apache-2.0",
            id="key",
        ),
        Registered(
            "lambada_openai",
            "LAMBADA as OpenAI split it: passages of novels whose last word is asked for.",
            "EleutherAI/lambada_openai",
            ("default",),
            "test",
            _named("text"),
            5153,
            "CC BY 4.0",
        ),
        Registered(
            "math",
            "MATH: competition problems of seven subjects and their solutions.",
            "EleutherAI/hendrycks_math",
            _MATH,
            "test",
            _named("problem", "solution"),
            5000,
            "MIT",
        ),
        Registered(
            "math500",
            "500 problems of MATH.",
            "HuggingFaceH4/MATH-500",
            ("default",),
            "test",
            _named("problem", "solution"),
            500,
            "MIT",
            id="unique_id",
        ),
        Registered(
            "mbpp",
            "MBPP: small Python programs, their descriptions and tests.",
            "google-research-datasets/mbpp",
            ("full",),
            "test",
            (*_named("text"), *_MBPP_CODE),
            500,
            "CC BY 4.0",
            id="task_id",
        ),
        Registered(
            "mbpp_sanitized",
            "MBPP as its authors checked it by hand.",
            "google-research-datasets/mbpp",
            ("sanitized",),
            "test",
            (*_named("prompt"), *_MBPP_CODE),
            257,
            "CC BY 4.0",
            id="task_id",
        ),
        Registered(
            "mgsm",
            "250 problems of GSM8K in 11 languages.",
            "juletxara/mgsm",
            ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"),
            "test",
            _named("question"),
            2750,
            "CC BY-SA 4.0",
        ),
        Registered(
            "mmlu",
            "MMLU: questions of 57 subjects.",
            "cais/mmlu",
            ("all",),
            "test",
            (*_named("question"), _f("choices", choices="choices")),
            14_042,
            "MIT",
        ),
        Registered(
            "mmlu_pro",
            "MMLU-Pro: harder ones, with ten choices.",
            "TIGER-Lab/MMLU-Pro",
            ("default",),
            "test",
            (*_named("question"), _f("options", choices="options")),
            12_032,
            "MIT",
            id="question_id",
        ),
        Registered(
            "nq_open",
            "Natural Questions, open: what people asked a search engine.",
            "google-research-datasets/nq_open",
            ("nq_open",),
            "validation",
            _named("question"),
            3610,
            "CC BY-SA 3.0",
        ),
        Registered(
            "openbookqa",
            "OpenBookQA: elementary science.",
            "allenai/openbookqa",
            ("main",),
            "test",
            (*_named("question_stem"), _LABELLED),
            500,
            "Apache-2.0",
            id="id",
        ),
        Registered(
            "piqa",
            "PIQA: everyday physics; goals, solutions, and each goal with the right one.",
            "ybisk/piqa",
            ("plain_text",),
            "validation",
            (
                *_named("goal"),
                _f("solutions", choices=("sol1", "sol2")),
                _f("solved", "goal", choices=("sol1", "sol2"), answer="label"),
            ),
            1838,
            "AFL 3.0",
        ),
        Registered(
            "race",
            "RACE: English examinations of middle and high schools.",
            "ehovy/race",
            ("high", "middle"),
            "test",
            _named("article", "question", "options"),
            4934,
            "non-commercial research only",
        ),
        Registered(
            "sciq",
            "SciQ: science exams; the supporting paragraphs are left out.",
            "allenai/sciq",
            ("default",),
            "test",
            (
                *_named("question"),
                _f("choices", choices=("correct_answer", "distractor1", "distractor2", "distractor3")),
            ),
            1000,
            "CC BY-NC 3.0",
        ),
        Registered(
            "siqa",
            "Social IQa: situations and what people make of them.",
            "allenai/social_i_qa",
            ("default",),
            "validation",
            _SIQA,
            1954,
            "CC BY 4.0",
        ),
        Registered(
            "triviaqa",
            "TriviaQA: questions of quizzes.",
            "mandarjoshi/trivia_qa",
            ("rc.nocontext",),
            "validation",
            _named("question"),
            17_944,
            "Apache-2.0",
            id="question_id",
        ),
        Registered(
            "truthfulqa",
            "TruthfulQA: questions that invite a false belief, true answers and false ones.",
            "truthfulqa/truthful_qa",
            ("generation",),
            "validation",
            _named("question", "correct_answers", "incorrect_answers"),
            817,
            "Apache-2.0",
        ),
        Registered(
            "winogrande",
            "WinoGrande: the sentence with the right name in its place.",
            "allenai/winogrande",
            ("winogrande_xl",),
            "validation",
            (_f("filled", "sentence", choices=("option1", "option2"), answer="answer", first=1, blank="_"),),
            1267,
            "CC BY",
        ),
        Registered(
            "xcopa",
            "COPA in 11 languages.",
            "cambridgeltl/xcopa",
            ("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh"),
            "test",
            _COPA,
            5500,
            "CC BY 4.0",
        ),
    )
}
