"""Peers: what people would use instead, measured on the same data in the same run."""
