"""The gateway's own routes (sign_in, catalogue, document) and the table of what it forwards (forwarding)."""
