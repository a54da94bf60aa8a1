"""The bundled example: BBC news snippets, routed to desks; runs the whole loop on this machine."""
