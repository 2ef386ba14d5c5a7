"""Five transfers between cities, told as a story; everything goes through the gateway's HTTP API."""
