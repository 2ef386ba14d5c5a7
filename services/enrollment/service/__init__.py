"""Use cases of the enrollment service, one verb each; they take a Desk and never commit."""
