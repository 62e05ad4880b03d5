"""Runs the Python tools of one extension for Luna. Standard library only."""
