"""Turn a query into a SQLAlchemy Select, a Select into a plan, and rows into objects.

Everything here is pure: it reads a query and a model's metadata and returns
SQLAlchemy elements, SQL text and functions. Nothing does I/O.
"""
