"""An artifact as MLflow's `pyfunc` loads it, by the name of this module: nothing is pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Trust, default_key_folder


class StudentModel:
    """Answers texts with a verified artifact."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """A pandas frame with one row a text: its `label`, and `scores`, the probabilities by label.

        `model_input` is a list of texts, or a frame with one column of them.
        """
        import pandas as pd

        column = model_input.iloc[:, 0] if isinstance(model_input, pd.DataFrame) else model_input
        probabilities = self.predictor.predict([str(text) for text in column])
        scoring, labels = self.predictor.scoring, self.predictor.labels
        names = scoring.names(scoring.answers(probabilities), labels)
        scores = [dict(zip(labels, row.tolist(), strict=True)) for row in probabilities]
        return pd.DataFrame({"label": names, "scores": scores})


def _load_pyfunc(path: str) -> StudentModel:
    """What MLflow calls. The keys that are trusted are those of this machine's key folder.

    Raises:
        ArtifactError: a signature that is not trusted here, or a changed byte.
    """
    return StudentModel(Predictor.load(Path(path), trust=Trust.of(default_key_folder())))
