"""Surveys: many experiments of one kind, measured again where chosen."""
