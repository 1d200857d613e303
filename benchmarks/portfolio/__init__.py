"""The recordings that the portfolio is learned from, and how it is learned."""
