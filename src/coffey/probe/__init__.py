"""Measuring before money is spent: asks the teacher, builds untrained students, exports and times them.

May import `distill`, `export`, `bench`, `economics` and the rooms below; returns records for `economics`.
"""
