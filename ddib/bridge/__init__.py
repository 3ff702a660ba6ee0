"""The bridge between two models: encoding, decoding, and the cache of solved chunks."""
