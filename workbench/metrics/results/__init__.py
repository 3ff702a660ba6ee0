"""Metrics of results, beside the sources they came from."""
