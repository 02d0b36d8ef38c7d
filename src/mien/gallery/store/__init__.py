"""The truth about who is known, kept so that nothing acknowledged is lost and nothing lies in the open."""
