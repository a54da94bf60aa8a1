"""BentoML with one worker and its defaults: `python bentoml_service.py ARTIFACT PORT`."""

import os
import sys
from pathlib import Path

import bentoml
from student import Student

ARTIFACT = "BENCHMARK_ARTIFACT"


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Service:
    """One text a request."""

    def __init__(self) -> None:
        self.student = Student(Path(os.environ[ARTIFACT]))

    @bentoml.api(route="/v1/predict")
    def predict(self, input: str) -> dict:
        """Its label."""
        return self.student.predict(input)


if __name__ == "__main__":
    command = [sys.executable, "-m", "bentoml", "serve", f"{Path(__file__).stem}:Service"]
    command += ["--host", "127.0.0.1", "--port", sys.argv[2], "--working-dir", str(Path(__file__).parent)]
    os.execve(command[0], command, os.environ | {ARTIFACT: sys.argv[1], "BENTOML_DO_NOT_TRACK": "true"})
