"""The generated documents: OpenAPI, and a JSON Schema for every event."""

from __future__ import annotations

from pathlib import Path


def documents() -> dict[str, bytes]:
    """Relative path → content."""
    return {}


def write(root: Path = Path()) -> list[Path]:
    """Writes the documents into a checkout and answers where."""
    paths = []
    for name, content in documents().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths
