"""Photographs of people, on their say-so."""

__version__ = "0.1.0.dev0"
