"""Simulated RNAcompete with a planted truth."""
