"""One module for each library: the same work, written as that library's documentation would have it.

Each module offers ``create(target)``, which returns the adapter, and is imported in that library's process.
"""
