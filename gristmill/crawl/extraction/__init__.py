"""From a page to its text, in a process that can be killed."""
