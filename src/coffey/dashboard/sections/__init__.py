"""The sections of a report, one subject a file: a part of a result becomes a `Section` or None."""
