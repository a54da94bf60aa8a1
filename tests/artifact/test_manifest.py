"""A manifest survives its bytes, and a reader never guesses at a format that it does not know."""

from __future__ import annotations

import json

import pytest

from coffey.artifact.manifest import FORMAT, READABLE, decode, digest, encode
from coffey.core.errors import ArtifactError, UnknownFormat
from coffey.core.records import Interval, Latency, Machine, Quality


def test_a_manifest_with_every_field_comes_back_equal(tiny):
    """Writing and reading loses nothing."""
    latency = Latency(
        "student int8", "in-process", "closed", 10, 1.0, 2.0, 3.0, 1.1, 900.0, sample_ms=(1.0, 2.0)
    )
    machine = Machine("cpu", 2, 8.0, "Linux", "3.11")
    manifest = tiny.manifest(latency=(latency,), machine=machine, versions={"onnxruntime": "1"})
    assert decode(encode(manifest), "m") == manifest


def test_equal_manifests_have_equal_bytes_and_names(tiny):
    """The name does not depend on the order in which anything was put in."""
    one = encode(tiny.manifest(versions={"a": "1", "b": "2"}))
    two = encode(tiny.manifest(versions={"b": "2", "a": "1"}))
    assert one == two
    assert digest(one) == digest(two)
    assert digest(one) != digest(encode(tiny.manifest(name="other")))


@pytest.mark.parametrize("found", [3, 0, None, "1", True, 1.5])
def test_another_format_number_is_refused(tiny, found):
    """Every number but the known ones, and whatever is not a number, is refused by name."""
    fields = json.loads(encode(tiny.manifest()))
    fields["format"] = found
    with pytest.raises((UnknownFormat, ArtifactError), match="format|manifest"):
        decode(json.dumps(fields).encode(), "some/manifest.json")


def test_a_newer_format_is_refused_even_if_nothing_else_can_be_read():
    """The number is looked at before anything that a newer version may have changed."""
    with pytest.raises(UnknownFormat, match=r"some/manifest.json.*3"):
        decode(b'{"format": 3, "files": "elsewhere"}', "some/manifest.json")


def test_an_unknown_optional_key_is_no_reason_to_refuse(tiny):
    """The written rule: an added key keeps the format number."""
    fields = json.loads(encode(tiny.manifest())) | {"colour": "copper"}
    assert decode(json.dumps(fields).encode(), "m") == tiny.manifest()


def test_the_written_format_can_be_read():
    """What this version writes, it reads."""
    assert FORMAT in READABLE


def test_a_figure_that_is_no_number_is_not_signed(tiny):
    """NaN in a quality is refused when the manifest is made."""
    broken = Quality(1, Interval(float("nan"), 0.0, 1.0))
    with pytest.raises(ArtifactError, match="cannot be written"):
        encode(tiny.manifest(quality=broken))


@pytest.mark.parametrize("data", [b"", b"[]", b"nothing", b'{"format": 1}'])
def test_bytes_that_are_no_manifest_are_named(data):
    """Damage is an ArtifactError with the path."""
    with pytest.raises(ArtifactError, match="here/manifest.json"):
        decode(data, "here/manifest.json")
