"""File and ContentFile: any file object with a name, a size, chunks and lines."""

from __future__ import annotations

import io
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ormolu.files import ContentFile, File
from ormolu.files.base import as_file


def test_attributes(tmp_path):
    """A File has the name, the size and the methods of the file object inside."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\ntwo")
    with File(path.open("rb")) as file:
        assert (file.name, file.size, len(file), bool(file), str(file)) == (str(path), 7, 7, True, str(path))
        assert (file.readable(), file.writable(), file.seekable(), file.mode) == (True, False, True, "rb")
        assert file.read(2) == b"on"
        assert file.size == 7
        assert file.tell() == 2
    assert file.closed
    assert not file.readable()
    assert file.open().read() == b"one\ntwo"
    file.close()
    with tempfile.TemporaryFile() as nameless:
        assert File(nameless).name is None
        assert not File(nameless)
    closed = File(io.BytesIO(b""))
    closed.close()
    with pytest.raises(ValueError, match="reopened"):
        closed.open()


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n", b"bc"])), st.integers(1, 9))
def test_lines(parts: list[bytes], size: int):
    """Lines are the same whatever the size of the chunks that they are read in."""
    content = b"".join(parts)
    file = ContentFile(content)
    file.DEFAULT_CHUNK_SIZE = size  # type: ignore[misc]
    assert list(file) == content.splitlines(keepends=True)
    assert b"".join(file.chunks()) == content
    assert file.multiple_chunks() == (len(content) > size)


def test_content():
    """Text and bytes can be a file."""
    assert ContentFile("grüße").read() == "grüße"
    file = ContentFile(b"abc", name="a")
    file.close()
    assert (file.open().read(), file.size, bool(ContentFile(b""))) == (b"abc", 3, True)


def test_what_is_no_file():
    """Numbers and bytes are no files."""
    for value in (1, b"bytes", object()):
        with pytest.raises(TypeError, match="is wanted"):
            as_file(value)
