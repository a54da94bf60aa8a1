"""A student leaves a project as a checkpoint and comes into another one, measured there."""

from __future__ import annotations

import json

import pytest

from coffey.core.errors import CoffeyError, DataError


def test_a_version_is_written_with_its_card(live, tmp_path):
    """The champion without a name; the card has its figures and no folder of this machine."""
    project = live.load()
    saved = project.save_checkpoint(tmp_path / "out")
    version = project.models().aliases["champion"]
    assert saved.version == version
    assert saved.parity.largest_difference < 1e-4
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"{project.workspace.registry.resolve(version).contract.agreement.value:.3f}" in card
    assert "`billing`, `delivery`, `account`" in card
    assert str(tmp_path) not in card
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert list(config["id2label"].values()) == ["billing", "delivery", "account"]


@pytest.mark.slow
def test_it_comes_into_another_project_as_challenger(live, untouched, tmp_path):
    """Measured on the holdout of that project, and registered if it passes; again is no change."""
    live.load().save_checkpoint(tmp_path / "out")
    untouched.edit("min_retention = 0.8", "min_retention = 0.5")
    project = untouched.load()
    pulled = project.pull(tmp_path / "out")
    assert pulled.gate.passed, pulled.gate.reason
    assert project.models().aliases == {"challenger": pulled.challenger}
    assert project.workspace.registry.resolve("challenger").contract.examples == 30
    assert project.pull(tmp_path / "out").challenger == pulled.challenger
    project.promote()
    assert project.save_checkpoint(tmp_path / "again").version == pulled.challenger
    first, second = (tmp_path / name / "model.safetensors" for name in ("out", "again"))
    assert first.read_bytes() == second.read_bytes()


def test_other_labels_are_refused(live, untouched, tmp_path):
    """Before anything is asked or exported."""
    live.load().save_checkpoint(tmp_path / "out")
    untouched.edit('["billing", "delivery", "account"]', '["delivery", "billing", "account"]')
    with pytest.raises(DataError, match="billing, delivery, account; expected the teacher's"):
        untouched.load().pull(tmp_path / "out")
    assert untouched.asked() == []


def test_a_hub_that_cannot_be_reached_is_said(live, monkeypatch):
    """With the name, the reason and what to look at; nothing is left behind."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CoffeyError, match=r"cannot be pushed to 'somebody/small'.*HF_TOKEN"):
        live.load().push("somebody/small")
