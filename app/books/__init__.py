"""The books: what the topics say, in SQL tables that everybody can query. Written by one loader, decided by nobody."""
