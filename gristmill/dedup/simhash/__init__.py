"""SimHash: one fingerprint for each long text, which is near where the text is."""
