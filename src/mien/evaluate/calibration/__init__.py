"""What distances mean for somebody's own photographs: fit it, show it, notice when it no longer holds."""
