"""Settings: where they come from, and what they are.

Each value comes from the first of these that has it:

1. `configure(...)`, called by the program;
2. the environment: `DATABASE_URL` (the alias "default"), `ORMOLU_DATABASE_URL_<ALIAS>`, `ORMOLU_<NAME>`;
3. the file that `ORMOLU_SETTINGS` names (a path or a dotted module), or else the first `settings.py`, or
   `pyproject.toml` with a `[tool.ormolu]` table, in the working directory or above it, up to the project's
   root. Files are not looked for once the program has called `configure()`;
4. the defaults below.

Nothing is read before the first use, so importing models needs neither settings nor a database.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ormolu.exceptions import ImproperlyConfigured
from ormolu.near import near_names
from ormolu.signals import setting_changed

__all__ = ["DEFAULTS", "Settings", "SettingsReference", "configure", "override", "settings"]

DEFAULTS: dict[str, Any] = {
    "DATABASES": {},
    "DATABASE_ROUTERS": [],
    "DEBUG": False,
    "DEFAULT_AUTO_FIELD": "ormolu.BigAutoField",
    "DEFAULT_INDEX_TABLESPACE": "",
    "DEFAULT_TABLESPACE": "",
    "FETCH_MODE": "peers",
    "FILE_UPLOAD_DIRECTORY_PERMISSIONS": None,
    "FILE_UPLOAD_PERMISSIONS": 0o644,
    "INSTALLED_APPS": [],
    "LANGUAGE_CODE": "en-us",
    "LONG_TRANSACTION_MS": 30_000.0,
    "MEDIA_ROOT": "",
    "MEDIA_URL": "",
    "MIGRATION_MODULES": {},
    "SLOW_QUERY_MS": 500.0,
    "STORAGES": {"default": {"BACKEND": "ormolu.files.FileSystemStorage"}},
    "SYNC_IN_ASYNC": "warn",
    "TIME_ZONE": "UTC",
    "USE_TZ": True,
    "VALIDATE_ON_SAVE": False,
}
"""Every setting of Ormolu's own. Upper-case names besides these are kept as the program's own settings."""

_CHOICES = {
    "FETCH_MODE": ("one", "peers", "raise"),
    "SYNC_IN_ASYNC": ("warn", "error", "off"),
    "VALIDATE_ON_SAVE": (False, True, "full"),
}
_MISSING: Any = object()

FILE_VARIABLES = ["ORMOLU_SETTINGS"]
"""The environment variables that may name the settings file. Ports add those of the systems that they stand for."""


class SettingsReference(str):
    """A setting's value that knows which setting it is, so that a migration can refer to that instead.

    It is the text that the setting says now; `setting_name` is the setting's name.
    """

    setting_name: str

    def __new__(cls, value: str, setting_name: str) -> SettingsReference:
        reference = super().__new__(cls, value)
        reference.setting_name = setting_name
        return reference


class Settings:
    """The settings as attributes. Use the one instance, `ormolu.conf.settings`."""

    def __init__(self) -> None:
        self._explicit: dict[str, Any] | None = None
        self._from_file: dict[str, Any] | None = None
        self._lock = threading.RLock()
        self._watchers: list[tuple[Callable[[], None], frozenset[str]]] = []
        self._adapters: list[Callable[[dict[str, Any]], dict[str, Any]]] = []

    def __repr__(self) -> str:
        state = "configured" if self._explicit is not None else "from the environment and files"
        return f"<Settings {state}>"

    def __getattr__(self, name: str) -> Any:
        # Found values are kept as plain attributes, so this runs once for each name.
        if name.startswith("_"):
            raise AttributeError(name)
        with self._lock:
            value = self._look_up(name)
            if value is _MISSING:
                raise AttributeError(f"There is no setting {name!r}.{_near(name, DEFAULTS)}")
            _check_choice(name, value)
            self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self._replace({**(self._explicit or {}), name: value}, {name})

    def __delattr__(self, name: str) -> None:
        kept = dict(self._explicit or {})
        if name not in kept:
            raise AttributeError(f"The setting {name!r} was not set by the program.")
        del kept[name]
        self._replace(kept, {name})

    @property
    def configured(self) -> bool:
        """Whether the program has called `configure()`, or a database is known from elsewhere."""
        return self._explicit is not None or bool(self.DATABASES)

    def is_overridden(self, name: str) -> bool:
        """Say whether a setting has a value other than from the defaults."""
        return (
            name in (self._explicit or {}) or _from_environment(name) is not _MISSING or name in self._file()
        )

    def known(self) -> dict[str, Any]:
        """Return what `configure()` set, else what a file gave that was read already. Nothing is read by this."""
        return dict(self._explicit if self._explicit is not None else self._from_file or {})

    def on_change(self, callback: Callable[[], None], *names: str) -> None:
        """Call `callback` whenever one of these settings may have another value."""
        self._watchers.append((callback, frozenset(names)))

    def adapt_files(self, adapter: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Let a function complete what a settings file says. For ports, whose defaults are other ones."""
        self._adapters.append(adapter)
        if self._from_file:  # it was read before the port was imported
            self.reset_file()

    def reset_file(self) -> None:
        """Read the settings file anew when a setting is next asked for."""
        self._from_file = None
        self._replace(self._explicit)

    def reset(self) -> None:
        """Forget what `configure()` set and what files gave."""
        self._from_file = None
        self._replace(None)

    def _replace(self, explicit: dict[str, Any] | None, changed: Iterable[str] | None = None) -> None:
        """Take other settings; `changed` names those that differ, None stands for all."""
        with self._lock:
            for name in [name for name in self.__dict__ if not name.startswith("_")]:
                del self.__dict__[name]
            self._explicit = explicit
        for callback, names in self._watchers:
            if changed is None or not names.isdisjoint(changed):
                callback()

    def _look_up(self, name: str) -> Any:
        explicit = self._explicit or {}
        if name in explicit:
            return explicit[name]
        if name == "DATABASES":
            return {**self._file().get(name, {}), **_urls_of_environment()}
        value = _from_environment(name)
        if value is _MISSING:
            value = self._file().get(name, _MISSING)
        if value is _MISSING:
            value = DEFAULTS.get(name, _MISSING)
        return value

    def _file(self) -> dict[str, Any]:
        if self._explicit is not None and not _named_file()[1]:
            return {}
        if self._from_file is None:
            values = _values_from_file()
            for adapter in self._adapters if values else ():
                values = adapter(values)
            self._from_file = values
        return self._from_file


def configure(url: str | None = None, /, **values: Any) -> Settings:
    """Set the settings, replacing those of an earlier call; open databases are closed. Return the settings.

    `configure("sqlite:///db.sqlite3")` names the default database. `DATABASES={"default": ..., "replica":
    ...}` takes URLs and dictionaries in Django's form. Raises ImproperlyConfigured for a name that is not a
    setting. No connection is made before it is needed.
    """
    for name in values:
        if not name.isupper():
            raise ImproperlyConfigured(
                f"configure() got {name!r}, which is no setting.{_near(name.upper(), DEFAULTS)}"
            )
        if name not in DEFAULTS and (close := near_names(name, DEFAULTS, cutoff=0.8)):
            raise ImproperlyConfigured(f"There is no setting {name!r}. Did you mean {close[0]!r}?")
        _check_choice(name, values[name])
    if url is not None:
        databases: Any = values.get("DATABASES", {})
        if "default" in databases:
            raise ImproperlyConfigured(
                "configure() got the default database twice: as a URL, and in DATABASES['default']."
            )
        values["DATABASES"] = {"default": url, **databases}
    settings._replace(values)
    return settings


@contextlib.contextmanager
def override(**values: Any) -> Generator[Settings, None, None]:
    """Set some settings inside a `with` block; the others stay. For tests.

    Open databases are closed on entry and on exit only if `DATABASES` is among the names.
    """
    before = settings._explicit
    try:
        settings._replace({**(before or {}), **values}, values)
        for name, value in values.items():
            setting_changed.send(Settings, setting=name, value=value, enter=True)
        yield settings
    finally:
        settings._replace(before, values)
        for name in values:
            setting_changed.send(Settings, setting=name, value=getattr(settings, name, None), enter=False)


def _near(name: str, choices: Mapping[str, Any]) -> str:
    close = near_names(name, choices)
    return f" Did you mean {close[0]!r}?" if close else f" The settings are: {', '.join(choices)}."


def _check_choice(name: str, value: Any) -> None:
    choices = _CHOICES.get(name)
    if choices is not None and value not in choices:
        raise ImproperlyConfigured(
            f"The setting {name} must be one of {', '.join(map(str, choices))}, not {value!r}."
        )


def _urls_of_environment() -> dict[str, str]:
    prefix = "ORMOLU_DATABASE_URL_"
    urls = {key[len(prefix) :].lower(): value for key, value in os.environ.items() if key.startswith(prefix)}
    default = os.environ.get("ORMOLU_DATABASE_URL") or os.environ.get("DATABASE_URL")
    return {**urls, "default": default} if default else urls


def _from_environment(name: str) -> Any:
    """Return `ORMOLU_<name>` converted to the type that the setting's default has."""
    text = os.environ.get(f"ORMOLU_{name}")
    if text is None:
        return _MISSING
    default: object = DEFAULTS.get(name)
    try:
        if isinstance(default, bool):
            return {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False,
                    "off": False, "": False}[text.strip().lower()]  # fmt: skip
        if isinstance(default, (int, float)):
            return type(default)(text)
        if isinstance(default, (list, dict)):
            looks_json = text.lstrip().startswith(("[", "{"))
            return (
                json.loads(text) if looks_json else [item.strip() for item in text.split(",") if item.strip()]
            )
    except (KeyError, ValueError):
        kind = str(DEFAULTS[name].__class__.__name__)
        raise ImproperlyConfigured(
            f"The environment variable ORMOLU_{name} should hold a {kind}, but is {text!r}."
        ) from None
    return text


def _values_from_file() -> dict[str, Any]:
    """Return the settings of the file that applies to this process, {} if there is none."""
    variable, named = _named_file()
    if named:
        return _values_of(variable, named)
    for folder in _folders():
        if (folder / "settings.py").is_file():
            return _public(_import_file(folder / "settings.py"))
        table = _tool_table(folder / "pyproject.toml")
        if table:
            return table
    return {}


def _named_file() -> tuple[str, str]:
    """Return the environment variable that names a settings file, and what it says."""
    for variable in FILE_VARIABLES:
        if named := os.environ.get(variable):
            return variable, named
    return FILE_VARIABLES[0], ""


def _folders() -> Iterator[Path]:
    """Yield the working directory and those above it, up to the one that looks like a project's root."""
    here = Path.cwd()
    for folder in [here, *here.parents]:
        yield folder
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            return


def _values_of(variable: str, named: str) -> dict[str, Any]:
    if named.endswith(".toml"):
        return _tool_table(Path(named))
    if named.endswith(".py") or os.sep in named:
        path = Path(named)
        if not path.is_file():
            raise ImproperlyConfigured(f"{variable} names the file {named!r}, which does not exist.")
        return _public(_import_file(path))
    try:
        return _public(importlib.import_module(named))
    except ModuleNotFoundError as error:
        if error.name is None or not named.startswith(error.name):
            raise
        raise ImproperlyConfigured(f"{variable} names the module {named!r}, which can't be found.") from error


def _import_file(path: Path) -> ModuleType:
    """Execute a settings file, with its folder importable, so that it can name its neighbours."""
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location("settings", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.setdefault("settings", module)
    return module


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name.isupper()}


def _tool_table(path: Path) -> dict[str, Any]:
    """Return `[tool.ormolu]` with upper-case names, {} if the file or the table is missing."""
    if not path.is_file():
        return {}
    try:
        text = path.read_text("utf-8")
        if "ormolu" not in text:
            return {}
        import tomllib  # only where there may be such a table: it takes milliseconds

        table: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("ormolu", {})
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{path} can't be read: {error}") from error
    values: dict[str, Any] = {name.upper(): value for name, value in table.items()}
    if "DATABASE_URL" in values:
        values.setdefault("DATABASES", {})["default"] = values.pop("DATABASE_URL")
    return values


settings = Settings()
