"""`djast.db`: the models."""
