"""Torch to a signed artifact: ONNX, fusion, int8, parity, quality, gate, package.

Imports students, artifact, stats, core and the libraries of the extra `distill`.
"""
