"""The tables of the books (docs/books.md). A migration of app/books/migrations makes each of them; a test compares the two."""
