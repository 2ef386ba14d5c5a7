"""The gateway on the wire: sign-in (sign_in.py), regions and offices (regions.py)."""
