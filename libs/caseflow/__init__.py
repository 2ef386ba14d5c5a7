"""How an application becomes a decided case, the same in every service: one engine, catalogues as data."""
