"""Deployment: exported models, their cards, and predictions for new rows."""
