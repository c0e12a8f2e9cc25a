"""Read the environment: every installed distribution with its files, people, classifiers and requirements.

This is `importlib.metadata` put into plain records, sorted, so that two readings of one environment are
equal.
"""

import base64
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import getaddresses
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any

_REQUIREMENT = re.compile(
    r"^\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?P<specifier>[^;]*?)\s*(?:;\s*(?P<marker>.*))?$"
)
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
_KINDS = {
    ".py": "source",
    ".pyi": "types",
    ".pyc": "bytecode",
    ".so": "native",
    ".pyd": "native",
    ".dll": "native",
    ".dylib": "native",
}


@dataclass(frozen=True, slots=True, order=True)
class FileRecord:
    path: str
    kind: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, order=True)
class CreditRecord:
    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True, order=True)
class RequirementRecord:
    name: str
    specifier: str
    extra: str
    marker: str


@dataclass(frozen=True, slots=True)
class DistributionRecord:
    name: str
    version: str
    summary: str
    requires_python: str
    installed: datetime | None
    license: str
    urls: dict[str, str]
    classifiers: list[str]
    credits: list[CreditRecord]
    files: list[FileRecord]
    requirements: list[RequirementRecord]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that was read, by name."""

    distributions: list[DistributionRecord]

    @property
    def row_count(self) -> int:
        """How many rows this makes in the database, links between classifiers and distributions included."""
        found = self.distributions
        shared = {name.casefold() for d in found for name in d.classifiers}
        licenses = {d.license.casefold() for d in found if d.license}
        people = {(c.name, c.email) for d in found for c in d.credits}
        own = sum(1 + len(d.classifiers) + len(d.credits) + len(d.files) + len(d.requirements) for d in found)
        return own + len(shared) + len(licenses) + len(people)


def read(path: Iterable[str] | None = None) -> Catalogue:
    """Read every distribution that Python finds on `path` (by default `sys.path`), the first of each name."""
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions(path=list(sys.path if path is None else path)):
        # A half-removed distribution has no name: Python finds it, but there is nothing to say about it.
        if distribution.metadata["Name"]:
            found.setdefault(normalise(distribution.metadata["Name"]), distribution)
    return Catalogue([_record(name, found[name]) for name in sorted(found)])


def normalise(name: str) -> str:
    """Return a distribution's name as requirements are compared. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _record(name: str, distribution: metadata.Distribution) -> DistributionRecord:
    meta: Any = distribution.metadata  # a Message; typeshed's protocol for it leaves get() out
    classifiers = sorted({c[:200] for c in meta.get_all("Classifier") or ()})
    return DistributionRecord(
        name=name[:200],
        version=distribution.version[:100],
        summary=meta.get("Summary") or "",
        requires_python=(meta.get("Requires-Python") or "")[:200],
        installed=_installed(distribution),
        license=_license(meta, classifiers),
        urls=dict(sorted(_urls(meta))),
        classifiers=classifiers,
        credits=sorted(set(_credits(meta))),
        files=sorted(_files(distribution)),
        requirements=sorted(set(_requirements(distribution.requires or ()))),
    )


def _installed(distribution: metadata.Distribution) -> datetime | None:
    """When it was installed: when its folder of metadata was last written."""
    folder: Any = getattr(distribution, "_path", None)
    if not isinstance(folder, Path) or not folder.exists():
        return None
    return datetime.fromtimestamp(int(folder.stat().st_mtime), UTC)


def _license(meta: Any, classifiers: list[str]) -> str:
    """The licence in a few words: the expression, else the classifier, else the first line of the text."""
    if expression := meta.get("License-Expression"):
        return str(expression)[:200]
    for classifier in classifiers:
        if classifier.startswith("License ::"):
            return classifier.rpartition(" :: ")[2]
    lines = (meta.get("License") or "").strip().splitlines()
    return lines[0].strip()[:200] if lines and lines[0].strip() != "UNKNOWN" else ""


def _urls(meta: Any) -> Iterator[tuple[str, str]]:
    if home := meta.get("Home-page"):
        yield "Homepage", home
    for line in meta.get_all("Project-URL") or ():
        label, _, url = line.partition(",")
        yield label.strip(), url.strip()


def _credits(meta: Any) -> Iterator[CreditRecord]:
    for role, key in (("author", "Author"), ("maintainer", "Maintainer")):
        people = getaddresses([meta.get(f"{key}-email") or ""])
        plain = (meta.get(key) or "").strip()
        if plain and len(people) == 1 and not people[0][0]:
            people = [(plain, people[0][1])]  # the name in one field, the address in the other
        elif plain and plain not in {name for name, _ in people}:
            people.append((plain, ""))
        for name, address in people:
            if name or address:
                yield CreditRecord(name[:300], address[:300], role)


def _files(distribution: metadata.Distribution) -> Iterator[FileRecord]:
    for path in distribution.files or ():
        size = path.size
        if size is None:
            located = Path(str(path.locate()))
            size = located.stat().st_size if located.exists() else 0
        yield FileRecord(str(path)[:500], _kind(path), size, _sha256(path))


def _kind(path: PurePath) -> str:
    if path.parent.name.endswith((".dist-info", ".egg-info")) or ".dist-info/" in path.as_posix():
        return "metadata"
    return _KINDS.get(path.suffix, "other")


def _sha256(path: metadata.PackagePath) -> str:
    """The hash in hexadecimal; records have it in base64 without padding."""
    if path.hash is None or path.hash.mode != "sha256":
        return ""
    return base64.urlsafe_b64decode(path.hash.value + "=").hex()


def _requirements(requires: Iterable[str]) -> Iterator[RequirementRecord]:
    for line in requires:
        if match := _REQUIREMENT.match(line):
            marker = match["marker"] or ""
            extra = _EXTRA.search(marker)
            specifier = match["specifier"].strip("() ").replace(" ", "")
            yield RequirementRecord(
                normalise(match["name"])[:200], specifier[:200], extra[1][:100] if extra else "", marker[:500]
            )
