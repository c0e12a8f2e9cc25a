"""The blocks of a Markdown page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A fenced block, or a hidden one: `<!--python` ... `-->`."""

    language: str
    info: str  # what else stands behind the language
    line: int  # of its fence, from 1
    text: str
    follows: bool  # only empty lines and results are between it and the last Python block


def blocks(page: str) -> Iterator[Block]:
    """Give the blocks of a page in order."""
    start, follows, lines = 0, False, page.splitlines()
    closing = language = info = ""
    for number, line in enumerate(lines, 1):
        if start:
            if line.strip() == closing:
                follows = language == "python" or (follows and language in RESULTS)
                yield Block(
                    language,
                    info,
                    start,
                    "\n".join(lines[start : number - 1]),
                    follows and language in RESULTS,
                )
                start = 0
        elif line.startswith(("```", "<!--python")):
            closing = "```" if line.startswith("```") else "-->"
            language, _, info = line.removeprefix("```").removeprefix("<!--").strip().partition(" ")
            start = number
        elif line.strip():
            follows = False
    if start:
        raise SyntaxError(f"The block that begins on line {start} does not end.")


RESULTS = frozenset({"sql", "text"})


def replaced(page: str, texts: Mapping[Block, str]) -> str:
    """Return a page with new texts in some of its blocks."""
    lines = page.splitlines()
    for block in sorted(texts, key=lambda block: -block.line):
        lines[block.line : block.line + len(block.text.splitlines())] = texts[block].splitlines()
    return "\n".join(lines) + "\n"
