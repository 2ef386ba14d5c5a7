"""The tax authority's file of payments (docs/tax-file-format.md): its head, its rows, what may be wrong."""
