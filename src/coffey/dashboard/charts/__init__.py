"""Small server-side SVG charts, one kind a file: no script, no request. Imports core and nothing else."""
