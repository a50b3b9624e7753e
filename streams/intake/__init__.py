"""Stage intake: raw records become canonical events, and time enters the log."""
