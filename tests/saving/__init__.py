"""Saving and reading, compared with Django."""
