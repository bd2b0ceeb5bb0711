"""All k-mers: scans, races and single-base variants."""
