"""Similarity search over the templates of one scope, and their real removal."""

from sayso.gallery.gallery import Candidate, Gallery

__all__ = ["Candidate", "Gallery"]
