"""Synthetic arterial trees, grown inside a liver."""
