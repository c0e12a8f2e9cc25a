"""A Django application with the models of `ours`, over the same tables."""
