"""A version in MLflow is the signed artifact: it answers as served, and a changed byte is refused."""

from __future__ import annotations

import pytest

from coffey.core.errors import DigestMismatch, MissingExtra


@pytest.mark.filterwarnings(
    "ignore"
)  # MLflow warns about its own dependencies, and about text without a schema
def test_it_answers_as_the_artifact_does(live, tmp_path, monkeypatch):
    """Logged to a local store and loaded by its URI: labels, probabilities, figures."""
    mlflow = pytest.importorskip("mlflow")
    pandas = pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # the small package has no other local store
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    project = live.load()
    info = project.log_to_mlflow()
    assert mlflow.active_run() is None
    version = project.workspace.registry.resolve("champion")
    run = mlflow.get_run(info.run_id)
    assert run.data.metrics["agreement"] == pytest.approx(version.contract.agreement.value)
    texts = live.known(5, seed=9)
    for asked in (texts, pandas.DataFrame({"text": texts})):
        found = mlflow.pyfunc.load_model(info.model_uri).predict(asked)
        assert found["label"].isin(["billing", "delivery", "account"]).all()
        assert all(row["scores"][row["label"]] == max(row["scores"].values()) for _, row in found.iterrows())
    with mlflow.start_run() as mine:
        project.log_to_mlflow()
        assert mlflow.active_run().info.run_id == mine.info.run_id
    model = next((tmp_path / "runs").rglob(f"{version.digest}/model.onnx"))
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    with pytest.raises(DigestMismatch):
        mlflow.pyfunc.load_model(str(model.parents[2]))


def test_a_missing_mlflow_is_said(live, monkeypatch):
    """With the extra that brings it."""
    monkeypatch.setitem(__import__("sys").modules, "mlflow", None)
    with pytest.raises(MissingExtra, match=r"coffey\[mlflow\]"):
        live.load().log_to_mlflow()
