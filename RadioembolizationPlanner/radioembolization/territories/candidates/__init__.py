"""Candidate injection sites of an arterial tree."""
