"""Rules of the transfer service: pure, with the clock passed in."""
