"""What the service does for each operation of the catalogue, as the engine of cases carries it out."""
