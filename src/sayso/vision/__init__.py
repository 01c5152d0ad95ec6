"""From bytes to faces, features and covered copies. Knows nothing of people."""
