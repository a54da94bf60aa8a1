"""Self-contained HTML reports: draws records, computes nothing. Imports core and, in `page`, jinja2."""
