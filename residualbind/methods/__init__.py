"""Other methods for the same data, as modules: so far DeepBind."""
