"""The states of a posting, and what may go to the ERP next."""
