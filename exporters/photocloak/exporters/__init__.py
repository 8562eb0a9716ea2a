"""Pixels and a source file to a file: read photos, encode them, scan, publish."""

from photocloak.exporters.export import encode, prepare, written_pixels
from photocloak.exporters.formats import format_like, format_of, suffix_like, suffixes, usual_suffix
from photocloak.exporters.formats.base import MAX_BYTES
from photocloak.exporters.hidden import hidden
from photocloak.exporters.metadata.grafting import graft
from photocloak.exporters.model import Encoded, Finding, Photo
from photocloak.exporters.panorama import wraps
from photocloak.exporters.policies import Policy, load_policy, policy_names
from photocloak.exporters.publishing import publish, require_room, sweep
from photocloak.exporters.reading import RAW_SUFFIXES, read, read_bytes
from photocloak.exporters.scanning import disclosures, kinds_of, scan

__all__ = [
    "MAX_BYTES",
    "RAW_SUFFIXES",
    "Encoded",
    "Finding",
    "Photo",
    "Policy",
    "disclosures",
    "encode",
    "format_like",
    "format_of",
    "graft",
    "hidden",
    "kinds_of",
    "load_policy",
    "policy_names",
    "prepare",
    "publish",
    "read",
    "read_bytes",
    "require_room",
    "scan",
    "suffix_like",
    "suffixes",
    "sweep",
    "usual_suffix",
    "wraps",
    "written_pixels",
]
