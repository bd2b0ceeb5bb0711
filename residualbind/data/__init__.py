"""RNAcompete data: reading, encoding, transforms, splits."""
