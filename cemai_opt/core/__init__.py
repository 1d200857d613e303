"""Layer 0: the types that all other layers use."""
