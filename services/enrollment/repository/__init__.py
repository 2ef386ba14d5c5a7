"""Reading and writing the service's tables; nothing here decides or commits."""
