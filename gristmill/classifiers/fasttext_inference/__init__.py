"""What a supervised fastText model says of texts: the answers of fastText itself, several times faster.

Texts are read where they lie, in Arrow's buffers, and words that come again are not taken apart again.
"""

from gristmill.classifiers.fasttext_inference.predictor import Predictions, Predictor, load_predictor

__all__ = ["Predictions", "Predictor", "load_predictor"]
