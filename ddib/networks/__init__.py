"""The torch modules and the configurations that they are built from."""
