"""Content types, and keys that may refer to an object of any model.

Importing anything from here registers the model `ContentType`; nothing else of Ormolu does.
Source: Django's documentation, "The contenttypes framework".
"""
