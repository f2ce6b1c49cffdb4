"""Reading files wherever they lie: every fault of a network ends in the file's bytes or in an error that names it."""
