"""Pictures inside a page: addresses that hold their data."""

from __future__ import annotations

from base64 import b64encode


def data_uri(data: bytes, kind: str) -> str:
    """Return a picture as an address that holds it."""
    return f"data:{kind};base64,{b64encode(data).decode('ascii')}"


def svg_uri(svg: str) -> str:
    """Return a drawing as an address that holds it."""
    return data_uri(svg.encode("utf-8"), "image/svg+xml")
