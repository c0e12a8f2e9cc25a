"""A library's models in two modules, of which the stubs of the tests are made. The package offers some itself."""

from shelf.books import Book, Review
from shelf.people import Author

__all__ = ["Author", "Book", "Review"]
