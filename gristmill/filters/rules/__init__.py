"""Rules: bounds on what was measured, and the presets that publish them."""
