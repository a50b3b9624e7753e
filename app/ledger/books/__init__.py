"""What there is: rows, source records and topics, of a run or of a live installation, and their exports."""
