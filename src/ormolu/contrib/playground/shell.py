"""An interactive shell on the catalogue: IPython where it is installed, else Python's own."""

import code
from importlib import import_module
from typing import Any

import ormolu
from ormolu.contrib.playground import models, questions

BANNER = """\
The models are Distribution, File, Requirement, Classifier, License, Person and Credit; Q, F, Count, Sum
and all the other public names of ormolu are here, and so are the questions, as functions: try largest()."""


def namespace() -> dict[str, Any]:
    """Return the names that the shell begins with."""
    names: dict[str, Any] = {name: getattr(ormolu, name) for name in ormolu.__all__}
    names |= {model.__name__: model for model in models.MODELS}
    names |= {question.__name__: question for question in questions.QUESTIONS}
    return names


def start() -> None:
    """Run the shell until the user leaves it."""
    try:
        ipython: Any = import_module("IPython")
    except ImportError:
        code.interact(banner=BANNER, local=namespace(), exitmsg="")
        return
    print(BANNER)
    ipython.start_ipython(argv=["--no-banner"], user_ns=namespace())
