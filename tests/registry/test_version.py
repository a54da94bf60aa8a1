"""A version goes through JSON unchanged, with or without a contract."""

import dataclasses
import json

import pytest

from coffey.core.records import Contract, Interval
from coffey.registry.version import Version, same_version, version_from_json, version_to_json

CONTRACT = Contract(Interval(0.934, 0.92, 0.95, 0.95, "wilson"), 900, "holdout", 0.02, 0.03)
PLAIN = Version("intents-1", "d1", "artifacts/d1")
FULL = Version("intents-2", "d2", "artifacts/d2", "stages/r/s", CONTRACT, {"teacher": "f", "n": 3}, 12.5)


@pytest.mark.parametrize("version", [PLAIN, FULL])
def test_json_keeps_everything(version):
    """What is read equals what was written."""
    assert version_from_json(json.loads(json.dumps(version_to_json(version)))) == version


def test_keys_of_later_releases_are_ignored():
    """A version with a key that this release does not know can be read."""
    assert version_from_json({**version_to_json(FULL), "later": 1}) == FULL


def test_when_it_was_made_does_not_matter():
    """Registering again at another time, or with a tuple for a list, is the same version."""
    assert same_version(FULL, dataclasses.replace(FULL, created_unix_s=99.0))
    one = dataclasses.replace(FULL, lineage={"stages": ("a", "b")})
    assert same_version(one, version_from_json(json.loads(json.dumps(version_to_json(one)))))
    assert not same_version(FULL, dataclasses.replace(FULL, digest="other"))
