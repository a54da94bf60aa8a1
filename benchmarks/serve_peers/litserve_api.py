"""LitServe with one worker and its defaults: `python litserve_api.py ARTIFACT PORT`."""

import sys
from pathlib import Path

import litserve
from student import Student


class Api(litserve.LitAPI):
    """One text a request."""

    def setup(self, device: str) -> None:
        """Load."""
        self.student = Student(Path(sys.argv[1]))

    def decode_request(self, request: dict[str, str]) -> str:
        """The text."""
        return request["input"]

    def predict(self, text: str) -> dict[str, object]:
        """Its label."""
        return self.student.predict(text)

    def encode_response(self, output: dict[str, object]) -> dict[str, object]:
        """As it is."""
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Api(api_path="/v1/predict"), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", generate_client_file=False)
