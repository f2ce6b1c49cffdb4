"""fastText models that tell good text from bad: training, measuring, what a model says of itself."""
