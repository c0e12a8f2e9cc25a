"""The example application under load, beside the same one on SQLAlchemy, Tortoise and Django, all asynchronous.

    python -m benchmarks.web

Each application is served by uvicorn in a process of its own, with its own copy of the same data, and asked over
loopback by 64 connections at once. The applications take turns, and figures are requests per second.
"""
