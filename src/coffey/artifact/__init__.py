"""Bytes that ship: manifest, write, read, verify, sign, run.

Imports core, numpy, onnxruntime, tokenizers, msgspec, cryptography. Never torch or transformers.
"""
