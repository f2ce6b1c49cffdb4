"""From the mean of a text's rows to its most probable labels."""
