"""Neural networks: torch modules and the configurations from which they are built."""
