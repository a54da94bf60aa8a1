"""Ray Serve with one replica and its defaults: `python ray_serve.py ARTIFACT PORT`."""

import signal
import sys
import threading
from pathlib import Path

import ray
from ray import serve
from starlette.requests import Request


@serve.deployment(ray_actor_options={"num_cpus": 0})
class Api:
    """One text a request."""

    def __init__(self, artifact: str) -> None:
        sys.path.insert(0, str(Path(__file__).parent))
        from student import Student

        self.student = Student(Path(artifact))

    async def __call__(self, request: Request) -> dict[str, object]:
        """Its label."""
        return self.student.predict((await request.json())["input"])


if __name__ == "__main__":
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[2])})
    serve.run(Api.bind(sys.argv[1]), route_prefix="/v1/predict")
    while not stopped.wait(0.2):
        pass
    serve.shutdown()
    ray.shutdown()
