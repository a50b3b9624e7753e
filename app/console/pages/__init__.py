"""The pages: each asks the books and says what it shows. Addresses stand in app/console/server.py."""
