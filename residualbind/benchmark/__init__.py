"""Methods side by side on many experiments: scores, tests, figures."""
