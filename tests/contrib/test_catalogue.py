"""Reading the environment: what `importlib.metadata` says becomes plain, sorted records."""

from pathlib import Path

import pytest

from ormolu.contrib.playground import catalogue
from ormolu.contrib.playground.catalogue import CreditRecord, RequirementRecord


def _install(folder: Path, metadata: str, record: str = "") -> catalogue.DistributionRecord:
    info = folder / "Some.Thing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: Some.Thing\nVersion: 1.0\n{metadata}\n")
    (info / "RECORD").write_text(record)
    (found,) = catalogue.read([str(folder)]).distributions
    return found


def test_this_environment_is_read_twice_the_same() -> None:
    """Two readings of one environment are equal, and hold what runs this test."""
    first, second = catalogue.read(), catalogue.read()
    assert first == second
    names = [distribution.name for distribution in first.distributions]
    assert names == sorted(names)
    assert {"pytest", "sqlalchemy"} <= set(names)
    assert first.row_count > 1_000


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SQLAlchemy", RequirementRecord("sqlalchemy", "", "", "")),
        ("typing_extensions>=4.6", RequirementRecord("typing-extensions", ">=4.6", "", "")),
        ("markdown-it-py (>=2.2, <3)", RequirementRecord("markdown-it-py", ">=2.2,<3", "", "")),
        (
            'psycopg[binary] >=3 ; extra == "pg" and os_name != "nt"',
            RequirementRecord("psycopg", ">=3", "pg", 'extra == "pg" and os_name != "nt"'),
        ),
        (
            "pip @ https://example.org/pip.whl",
            RequirementRecord("pip", "@https://example.org/pip.whl", "", ""),
        ),
    ],
)
def test_requirements_are_taken_apart(tmp_path: Path, line: str, expected: RequirementRecord) -> None:
    """A requirement becomes a normalised name, a specifier, the extra that asks for it, and its marker."""
    assert _install(tmp_path, f"Requires-Dist: {line}").requirements == [expected]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("License-Expression: MIT\nLicense: other", "MIT"),
        ("Classifier: License :: OSI Approved :: BSD License", "BSD License"),
        ("License: Apache 2.0", "Apache 2.0"),
        ("License: UNKNOWN", ""),
        ("", ""),
    ],
)
def test_licence_is_found_where_it_is_said(tmp_path: Path, lines: str, expected: str) -> None:
    """The expression counts first, then the classifier, then the text's first line."""
    assert _install(tmp_path, lines).license == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("Author: Ann", [CreditRecord("Ann", "", "author")]),
        ("Author: Ann\nAuthor-email: a@b.org", [CreditRecord("Ann", "a@b.org", "author")]),
        (
            "Author-email: Ann <a@b.org>, Bob <b@b.org>\nMaintainer: Cleo",
            [
                CreditRecord("Ann", "a@b.org", "author"),
                CreditRecord("Bob", "b@b.org", "author"),
                CreditRecord("Cleo", "", "maintainer"),
            ],
        ),
    ],
)
def test_people_are_named_once(tmp_path: Path, lines: str, expected: list[CreditRecord]) -> None:
    """Name and address are one person, whichever of the fields they stand in."""
    assert _install(tmp_path, lines).credits == expected


def test_files_have_sizes_hashes_and_kinds(tmp_path: Path) -> None:
    """Sizes and hashes come from the record; a size that it lacks comes from the file itself."""
    (tmp_path / "thing.pyc").write_bytes(b"12345")
    record = "thing.py,sha256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ,7\nthing.pyc,,\n"
    source, bytecode = _install(tmp_path, "", record).files
    assert (source.path, source.kind, source.size) == ("thing.py", "source", 7)
    assert source.sha256 == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert (bytecode.kind, bytecode.size, bytecode.sha256) == ("bytecode", 5, "")


def test_a_distribution_without_a_name_is_left_out(tmp_path: Path) -> None:
    """What is left of a half-removed distribution is no distribution."""
    (tmp_path / "gone-1.0.dist-info").mkdir()
    assert catalogue.read([str(tmp_path)]).distributions == []
