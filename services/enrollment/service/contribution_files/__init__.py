"""The tax authority's files: received whole, applied in chunks, worked off where rows do not match.

``receiving`` takes a file · ``applying`` is the worker's chunk · ``attributing`` payments,
``correcting`` red entries, ``batch`` writes what came of them · ``reapplying`` one row by an officer.
"""
