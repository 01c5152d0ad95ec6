"""Where photographs come from: the controller's own stores."""
