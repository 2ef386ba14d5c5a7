"""Rosters (花名册): taken in, read in chunks, applied chunk by chunk, looked at while they run."""
