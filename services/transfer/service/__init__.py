"""Use cases of the transfer service, one verb each; they take a Desk and never commit."""
