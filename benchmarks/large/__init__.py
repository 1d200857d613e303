"""Large data: the Broaching case at its real size."""
