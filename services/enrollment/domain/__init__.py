"""Rules of the enrollment service: pure, with the day passed in."""
