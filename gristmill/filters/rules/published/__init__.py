"""Published sets of rules: a module for each project that published some."""
