"""Importance resampling (DSIR): documents drawn so that, together, they read like a target."""
