"""What whole runs cost, by size of the data and number of trials, and the forecast learned from it."""
