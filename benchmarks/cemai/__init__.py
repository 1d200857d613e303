"""What CEMAI's slides claim, tested on recorded measurements."""
