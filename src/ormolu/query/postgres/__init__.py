"""Lookups, aggregates and functions of PostgreSQL's own types."""
