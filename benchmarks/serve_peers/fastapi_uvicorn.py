"""FastAPI on uvicorn, with uvloop and httptools: `python fastapi_uvicorn.py ARTIFACT PORT`."""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from student import Student


class Question(BaseModel):
    """What is asked."""

    input: str


app = FastAPI()
student = Student(Path(sys.argv[1]))


@app.post("/v1/predict")
async def predict(question: Question) -> dict[str, object]:
    """In the event loop: a run is shorter than a change of threads and back."""
    return student.predict(question.input)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
