"""Separate vessels joined to one rooted tree, and what can be measured in a tree."""
