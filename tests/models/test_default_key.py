"""The key of models that declare none, and models that others take the place of: both by the settings."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import pytest

from ormolu import (
    AutoField,
    BigAutoField,
    ImproperlyConfigured,
    IntegerField,
    ManyToManyField,
    Model,
    SmallAutoField,
)
from ormolu.conf import override
from ormolu.models.registry import AppConfig, Apps, isolated


class CountingField(BigAutoField):
    """A key of one's own."""


class BranchConfig(AppConfig):
    name = "firm.branch"
    default_auto_field = "django.db.models.SmallAutoField"


class HollowConfig(AppConfig):
    name = "hollow"
    default_auto_field = None


@pytest.fixture
def package() -> Iterator[types.ModuleType]:
    """A package whose module `apps` has a configuration."""
    firm, module = types.ModuleType("branch"), types.ModuleType("branch.apps")
    firm.__path__ = []  # type: ignore[attr-defined]
    module.__spec__ = types.SimpleNamespace(name="branch.apps")  # type: ignore[assignment]
    module.Config = type("Config", (AppConfig,), {"name": "branch", "default_auto_field": "AutoField"})  # type: ignore[attr-defined]
    sys.modules.update({"branch": firm, "branch.apps": module})
    yield module
    del sys.modules["branch"], sys.modules["branch.apps"]


def key_of(label: str) -> type:
    """Define a model without a key, and return the class of the one it gets."""
    body = {"__module__": __name__, "Meta": type("Meta", (), {"app_label": label}), "n": IntegerField()}
    model = type(Model)("Keyless", (Model,), body)
    return type(model._meta.pk)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("AutoField", AutoField),
        ("ormolu.SmallAutoField", SmallAutoField),
        ("django.db.models.BigAutoField", BigAutoField),
        (f"{__name__}.CountingField", CountingField),
    ],
)
def test_the_setting_names_the_class(path: str, expected: type) -> None:
    """By a dotted path, Django's and our own names included; when the model is defined."""
    with isolated(), override(DEFAULT_AUTO_FIELD=path):
        assert key_of("any") is expected

        class Crowded(Model):
            others = ManyToManyField("self")

        assert type(Crowded.others.through._meta.pk) is expected


@pytest.mark.parametrize(
    ("path", "error", "text"),
    [
        (
            "nowhere.Field",
            ImproperlyConfigured,
            "DEFAULT_AUTO_FIELD refers to the module 'nowhere.Field' that",
        ),
        ("ormolu.NoField", ImproperlyConfigured, "could not be imported"),
        (None, ImproperlyConfigured, "DEFAULT_AUTO_FIELD must not be empty"),
        (
            "ormolu.TextField",
            ValueError,
            "'ormolu.TextField' referred by DEFAULT_AUTO_FIELD must subclass AutoField",
        ),
    ],
)
def test_wrong_settings(path: str | None, error: type[Exception], text: str) -> None:
    """The error says which setting, and what it has."""
    with isolated(), override(DEFAULT_AUTO_FIELD=path), pytest.raises(error, match=text):
        key_of("any")


def test_an_application_may_have_a_key_of_its_own(package: types.ModuleType) -> None:
    """`default_auto_field` of an AppConfig that INSTALLED_APPS names, or that a package's `apps` has, comes first."""
    with isolated(
        Apps(installed_apps=[f"{__name__}.BranchConfig", f"{__name__}.HollowConfig", "other"])
    ) as apps:
        assert key_of("branch") is SmallAutoField
        assert key_of("other") is BigAutoField
        assert apps.get_app_config("branch").name == "firm.branch"
        with pytest.raises(ImproperlyConfigured, match=r"HollowConfig.default_auto_field must not be empty"):
            key_of("hollow")
    with isolated(), override(INSTALLED_APPS=["branch"]):
        assert key_of("branch") is AutoField


def test_a_model_may_be_swapped() -> None:
    """The setting that Meta.swappable names has the label of the model to use instead: managers say so."""
    with isolated() as apps:

        class Standard(Model):
            class Meta:
                app_label = "swaps"
                swappable = "SWAPS_MODEL"

        assert Standard._meta.swapped is None
        with override(SWAPS_MODEL="swaps.standard"):
            assert Standard._meta.swapped is None
        assert Standard.objects.model is Standard
        with override(SWAPS_MODEL="swaps.Special"):
            assert Standard._meta.swapped == "swaps.Special"
            assert not Standard._meta.can_migrate()
            assert Standard not in apps.get_models()
            assert Standard in apps.get_models(include_swapped=True)
            with pytest.raises(AttributeError, match="'swaps.Standard' has been swapped for 'swaps.Special'"):
                _ = Standard.objects
            with pytest.raises(TypeError, match="cannot proxy the swapped model"):

                class Stand(Standard):
                    class Meta:
                        proxy = True
