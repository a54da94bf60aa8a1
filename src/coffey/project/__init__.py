"""The Python API and what it stands on: configuration, doctor, wiring. Imports every room but cli."""
