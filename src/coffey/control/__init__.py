"""What is done about the evidence: a pure policy, and the journal and lease that make its steps idempotent.

May import `monitor`, `economics`, `registry`, `traffic`, `stats`, `core` and the other rooms below; no web
framework.
"""
