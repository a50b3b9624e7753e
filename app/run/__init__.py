"""`lineledger run`: all stages over recorded input until drained; exports, ledger folder, report."""
