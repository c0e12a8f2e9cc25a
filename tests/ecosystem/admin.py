"""SQLAdmin over the models of these tests, as an application."""

from __future__ import annotations

from typing import Any

from sqladmin import Admin, ModelView
from starlette.applications import Starlette
from wtforms import SelectField

from ecosystem.library import EcoAuthor, EcoBook, EcoTag, State


class AuthorAdmin(ModelView, model=EcoAuthor):
    name, name_plural = "Author", "Authors"
    column_list = [EcoAuthor.name, EcoAuthor.born]
    column_searchable_list = [EcoAuthor.name]


class BookAdmin(ModelView, model=EcoBook):
    name, name_plural = "Book", "Books"
    column_list = [EcoBook.title, EcoBook.state, EcoBook.author, EcoBook.tags, EcoBook.price]
    column_searchable_list = [EcoBook.title]
    column_sortable_list = [EcoBook.title]
    form_excluded_columns = [EcoBook.created_at, EcoBook.updated_at]
    form_overrides = {"state": SelectField}
    form_args = {"state": {"choices": State.choices}}


class TagAdmin(ModelView, model=EcoTag):
    name, name_plural = "Tag", "Tags"
    column_list = [EcoTag.word]
    form_columns = [EcoTag.word]


def application(engine: Any) -> Starlette:
    """Return an application with SQLAdmin under /admin, over an Engine or an AsyncEngine."""
    app = Starlette()
    admin = Admin(app, engine)
    for view in (AuthorAdmin, BookAdmin, TagAdmin):
        admin.add_view(view)
    return app
