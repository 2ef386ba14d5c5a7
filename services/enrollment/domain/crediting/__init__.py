"""What of a contribution goes to the personal account, and when a working life is long enough to retire.

Dated rules per region, as data (``packs/``); nothing here decides by a region's code or name.
"""
