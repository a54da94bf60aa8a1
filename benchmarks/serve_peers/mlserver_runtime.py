"""MLServer in one process, else with its defaults: `python mlserver_runtime.py ARTIFACT PORT`.

A handler of one's own cannot be called in MLServer's worker processes, which its request cannot be sent to.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path

from fastapi import Request, Response
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.handlers import custom_handler
from student import Student

ARTIFACT = "BENCHMARK_ARTIFACT"


class Runtime(MLModel):
    """One text a request."""

    async def load(self) -> bool:
        """Load."""
        self.student = Student(Path(os.environ[ARTIFACT]))
        return True

    @custom_handler(rest_path="/v1/predict")
    async def label(self, request: Request) -> Response:
        """Its label."""
        return self.student.predict((await request.json())["input"])


def free_port() -> int:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings(
        host="127.0.0.1",
        http_port=int(sys.argv[2]),
        grpc_port=free_port(),
        metrics_port=free_port(),
        debug=False,
        parallel_workers=0,
    )
    server = MLServer(settings)
    await server.start([ModelSettings(name="student", implementation=Runtime)])


if __name__ == "__main__":
    os.environ[ARTIFACT] = sys.argv[1]
    asyncio.run(main())
