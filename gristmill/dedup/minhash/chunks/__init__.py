"""What stands between white space, numbered by what it is."""
