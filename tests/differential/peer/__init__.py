"""A Django application for the models that are made at random."""
