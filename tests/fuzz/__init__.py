"""Families of inputs that have gone wrong somewhere: generated at random, judged by what was written into the file."""
