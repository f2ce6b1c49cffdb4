"""What is measured on lines: one pass over them serves the signals of several systems."""
