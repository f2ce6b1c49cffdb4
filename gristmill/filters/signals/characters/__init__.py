"""Characters by what they are and by their script: tables, and the scans of a text's characters."""
