"""Managers have the methods of a QuerySet."""

import inspect
import subprocess
import sys

from ormolu.models import Manager
from ormolu.query import QuerySet
from ormolu.query.manager_methods import QuerySetMethods
from ormolu.query.managers import passed_on


def test_every_method_is_listed() -> None:
    """What a QuerySet offers stands in the class that editors and type checkers read, but for what managers lack."""
    assert passed_on(Manager, QuerySet) == {}


def test_listed_methods_take_what_a_queryset_takes() -> None:
    """Parameters have the names and the order that they have on a QuerySet, where any don't just pass."""
    methods = {name: one for name, one in vars(QuerySetMethods).items() if inspect.isfunction(one)}
    listed = {name: one for name, one in methods.items() if hasattr(QuerySet, name)}
    assert len(listed) > 70
    for name, one in listed.items():
        if one.__code__.co_flags & inspect.CO_VARARGS:
            continue
        code, theirs = one.__code__, getattr(QuerySet, name).__code__
        count, others = code.co_argcount, theirs.co_argcount
        assert code.co_varnames[:count] == theirs.co_varnames[:others], name


def test_methods_have_the_querysets_docstrings() -> None:
    """Once a manager has made a queryset, its methods say what the queryset's do."""
    script = """
from ormolu import Manager, Model
from ormolu.query.managers import BaseManager
assert Manager.filter.__doc__ == "See `QuerySet.filter()`."
queryset_class = Manager._queryset_class
assert queryset_class.__name__ == "QuerySet"
assert Manager.filter.__doc__ == queryset_class.filter.__doc__ != "See `QuerySet.filter()`."
assert vars(BaseManager)["_queryset_class"] is queryset_class
"""
    subprocess.run([sys.executable, "-c", script], check=True)
