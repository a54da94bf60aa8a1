"""The log of served requests: segments written by a server, Parquet written by `tick`, and reading both.

May import `core` and the rooms below `traffic`. A server imports `ledger`, `log` and `segment` only:
`compact` and `query` need pyarrow.
"""
