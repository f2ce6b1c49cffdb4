"""Personal data in texts: found by kernels and bounded patterns, in time that grows with the text's length."""
